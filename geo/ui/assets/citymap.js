// Draws the units and buildings once, then takes new scores without drawing anything again.
// `load` comes with the city's geometry file; `draw` runs when the map is made; `update` runs on every rerun of the app.
(function () {
  "use strict";

  const city = { data: null, told: [], units: [], sites: [], labels: [], extras: {}, last: null };
  const LINE = { outline: "#1b1f27", border: "#8c94a3", selected: "#d1006c", ground: "#f3f4f6", road: "#c4a77d" };
  const SHAPES = ["candidate", "all_functions", "committee_one_stop", "party_council"];
  const LABELS_FROM_ZOOM = 12;

  // Tooltips are HTML: backticks, $, \ and braces are escaped too, because templates around us read them.
  const escape = (text) => String(text).replace(/[&<>"'`$\\{}]/g, (sign) => `&#${sign.charCodeAt(0)};`);

  function outline(shape, x, y, r) {
    if (shape === "all_functions") return `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
    if (shape === "committee_one_stop") {
      const d = r * 1.35;
      return `M${x},${y - d}L${x + d},${y}L${x},${y + d}L${x - d},${y}z`;
    }
    if (shape === "party_council") {
      const d = r * 1.3;
      return `M${x},${y - d}L${x + d},${y + 0.8 * d}L${x - d},${y + 0.8 * d}z`;
    }
    return `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`;
  }

  function colour(share) {
    const stops = city.data.palette;
    const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    const mix = (i) => {
      const [a, b] = [stops[low], stops[low + 1]].map((hex) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16));
      return Math.round(a + (b - a) * (place - low));
    };
    return `rgb(${mix(0)},${mix(1)},${mix(2)})`;
  }

  function load(data) {
    city.data = data;
  }

  // The buildings of a reader's own inventory come with the map, because others can read what is served.
  function draw(map, own) {
    city.told = own || city.data.sites;
    L.SVG.include({
      _updateSite(layer) {
        const { x, y } = layer._point;
        this._setPath(layer, layer._empty() ? "M0 0" : outline(layer.options.shape, x, y, layer._radius));
      },
    });
    const Site = L.CircleMarker.extend({
      _updatePath() {
        this._renderer._updateSite(this);
      },
    });
    map.attributionControl.setPrefix("Leaflet");
    ["units", "roads", "communes", "names", "sites", "halo"].forEach((name, i) => {
      map.createPane(name).style.zIndex = 410 + 10 * i;
    });
    ["roads", "communes", "names", "halo"].forEach((name) => (map.getPane(name).style.pointerEvents = "none"));
    city.units = city.data.units.map((unit, i) => drawUnit(map, unit, i));
    city.sites = city.told.map((site, i) => drawSite(map, Site, site, i));
    city.labels = city.data.units.map((unit) => label(unit));
    L.control.scale({ imperial: false, position: "topright" }).addTo(map);
    map.on("zoomend", () => arrange(map));
    map.fitBounds(city.data.bounds, { padding: [8, 8] });
    arrange(map);
  }

  // A tooltip's text is made when it is asked for, before Leaflet shows it and before a click brings it to the app.
  function explain(layer, write, options) {
    layer.on("mouseover click", () => layer.setTooltipContent(write()));
    layer.bindTooltip("", { ...options, className: "truso" });
  }

  // A tooltip makes a shape a stop of the Tab key: a thousand of them before the table, which serves the keyboard.
  const skipByTab = (layer) => layer.getElement().setAttribute("tabindex", "-1");

  function drawUnit(map, unit, i) {
    const layer = L.polygon(unit.rings, { pane: "units", weight: 1.2, color: LINE.border, fillOpacity: 0.75 });
    explain(layer, () => unitText(i), { sticky: true });
    layer.addTo(map);
    layer.getElement().dataset.unit = unit.id;
    skipByTab(layer);
    layer.on("mouseover", () => layer.setStyle({ weight: 3 }));
    layer.on("mouseout", () => styleUnit(i));
    return layer;
  }

  function drawSite(map, Site, site, i) {
    const layer = new Site([site.lat, site.lon], { pane: "sites", shape: "candidate", radius: 3 });
    explain(layer, () => siteText(i), { direction: "top" });
    layer.addTo(map);
    layer.getElement().dataset.site = site.id;
    skipByTab(layer);
    return layer;
  }

  function label(unit) {
    const text = document.createElement("span");
    text.textContent = unit.name;
    const icon = L.divIcon({ className: "truso-label", html: text, iconSize: null });
    return L.marker([unit.lat, unit.lon], { icon, pane: "names", interactive: false, keyboard: false });
  }

  // What depends on the zoom: the size of the signs, and the names, which would overlap from afar.
  function arrange(map) {
    const zoom = map.getZoom();
    const named = zoom >= LABELS_FROM_ZOOM;
    map.getContainer().dataset.zoom = zoom;
    city.labels.forEach((marker) => (named ? marker.addTo(map) : marker.remove()));
    city.sites.forEach((layer, i) => layer.setRadius(radius(i, zoom)));
    halo(map);
  }

  // A unit that is small on the screen is hidden by its own signs: a ring around it tells where it is.
  function halo(map) {
    toggle(map, "halo", false);
    if (!city.last || city.last.unit < 0) return;
    const bounds = city.units[city.last.unit].getBounds();
    const size = map.latLngToLayerPoint(bounds.getSouthEast()).subtract(map.latLngToLayerPoint(bounds.getNorthWest()));
    if (Math.max(size.x, size.y) > 36) return;
    const style = { pane: "halo", radius: 24, color: LINE.selected, weight: 3, fill: false, interactive: false };
    toggle(map, "halo", true, () => L.circleMarker(bounds.getCenter(), style));
  }

  function radius(i, zoom) {
    const growth = Math.min(Math.max(zoom - 9, 0), 6);
    return city.last && city.last.roles[i] !== "0" ? 2.9 + 1.3 * growth : 1.5 + 0.85 * growth;
  }

  function update(map, state) {
    const before = city.last;
    city.last = state;
    city.units.forEach((_, i) => styleUnit(i));
    city.sites.forEach((layer, i) => styleSite(layer, i, map.getZoom()));
    if (!before || before.roles !== state.roles) {
      city.sites.forEach((layer, i) => state.roles[i] !== "0" && layer.bringToFront());
    }
    toggle(map, "communes", state.layers.communes, communeLines);
    toggle(map, "roads", state.layers.roads, roadLines);
    toggle(map, "tiles", state.layers.tiles, tiles);
    legend(map, state);
    if (state.unit >= 0) city.units[state.unit].bringToFront();
    if (state.unit >= 0 && (!before || before.unit !== state.unit)) show(map, state.unit);
    halo(map);
    const root = map.getContainer();
    root.lang = state.lang;
    root.dataset.planDigest = state.digest;
  }

  // A unit picked in the table or the list is brought into view; the zoom stays as the reader set it.
  function show(map, i) {
    const bounds = city.units[i].getBounds();
    if (!map.getBounds().contains(bounds)) map.panTo(bounds.getCenter(), { animate: false });
  }

  function styleUnit(i) {
    const { fills, unit, layers } = city.last;
    const filled = fills && fills[i] !== null;
    const selected = i === unit;
    city.units[i].setStyle({
      fillColor: filled ? colour(fills[i] / 1000) : "#ffffff",
      fillOpacity: layers.tiles ? 0.35 : fills ? (filled ? 0.85 : 0.15) : 0.9,
      color: selected ? LINE.selected : LINE.border,
      weight: selected ? 4 : 1.2,
    });
  }

  function styleSite(layer, i, zoom) {
    const { scores, roles, fills, ends } = city.last;
    const chosen = roles[i] !== "0";
    layer.options.shape = SHAPES[Number(roles[i])];
    const known = scores[i] !== null;
    layer.setStyle({
      radius: radius(i, zoom),
      color: chosen ? LINE.outline : "#5b6473",
      weight: chosen ? 1.3 : 0.4,
      opacity: chosen ? 1 : 0.8,
      fillColor: fills ? (chosen ? "#ffffff" : "#c9ced6") : known ? colour((scores[i] - ends[0]) / (ends[1] - ends[0])) : "#ffffff",
      fillOpacity: chosen ? 1 : 0.85,
    });
    const dataset = layer.getElement().dataset;
    dataset.score = known ? scores[i] : "";
    dataset.role = layer.options.shape;
  }

  const amount = (value, digits, unit) =>
    value === null
      ? city.last.words.unknown
      : `${value.toLocaleString(city.last.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits })}${unit}`;

  // The hidden first part is what a click brings back to the app: a position, never a name.
  const text = (mark, title, rows) =>
    `<span hidden>${mark}|</span><b>${escape(title)}</b>` +
    rows.map(([name, value]) => `<br>${escape(name)}: <b>${escape(value)}</b>`).join("");

  function unitText(i) {
    const { words, n_sites, minutes, shares, norms } = city.last;
    return text(`u${i}`, city.data.units[i].name, [
      [words.n_sites, amount(n_sites[i], 0, "")],
      [words.minutes, amount(minutes[i] === null ? null : minutes[i] / 10, 1, ` ${words.min}`)],
      [words.share, shares[i]],
      [words.norm, norms[i]],
    ]);
  }

  function siteText(i) {
    const { words, scores, roles, site_minutes } = city.last;
    return text(`s${i}`, city.told[i].name, [
      [words.role, words[SHAPES[Number(roles[i])]]],
      [words.score, amount(scores[i] === null ? null : scores[i] / 1000, 2, "")],
      [words.minutes, amount(site_minutes[i] === null ? null : site_minutes[i] / 10, 1, ` ${words.min}`)],
    ]);
  }

  function toggle(map, name, wanted, make) {
    const layer = city.extras[name];
    if (wanted && !layer) city.extras[name] = make().addTo(map);
    if (!wanted && layer) {
      layer.remove();
      delete city.extras[name];
    }
  }

  function communeLines() {
    const style = { pane: "communes", weight: 1, color: "#6b4f1d", dashArray: "3 4", opacity: 0.8, interactive: false };
    return L.polyline(city.data.communes, style);
  }

  function roadLines() {
    const style = { pane: "roads", color: LINE.road, interactive: false, renderer: L.canvas({ pane: "roads" }) };
    return L.layerGroup(
      city.data.roads.map(({ weight, lines }) => L.polyline(lines, { ...style, weight, smoothFactor: 1.5 })),
    );
  }

  function tiles() {
    const attribution = '&copy; <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a>';
    return L.tileLayer("https://tile.openstreetmap.org/{z}/{x}/{y}.png", { maxZoom: 19, attribution });
  }

  // ---- legend: built from text nodes only
  function element(tag, className, content) {
    const node = document.createElement(tag);
    node.className = className;
    if (content !== undefined) node.textContent = content;
    return node;
  }

  function sign(shape, fill) {
    const r = shape === "candidate" ? 4 : 6;
    const svg = `<svg width="20" height="20" aria-hidden="true"><path d="${outline(shape, 10, 10, r)}" fill="${fill}"
      stroke="${LINE.outline}" stroke-width="${shape === "candidate" ? 0.6 : 1.8}"/></svg>`;
    const holder = element("span", "truso-sign");
    holder.innerHTML = svg;
    return holder;
  }

  function legend(map, state) {
    if (city.extras.legend) city.extras.legend.remove();
    const control = L.control({ position: "bottomleft" });
    control.onAdd = () => {
      const box = element("div", "truso-legend");
      [...SHAPES.slice(1), SHAPES[0]].forEach((shape) => {
        const row = element("div", "truso-row");
        row.append(sign(shape, state.fills ? "#ffffff" : colour(0.75)), element("span", "", state.words[shape]));
        box.append(row);
      });
      box.append(element("div", "truso-title", state.scale.title), bar(state.scale));
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    city.extras.legend = control.addTo(map);
  }

  function bar(scale) {
    const holder = element("div", "truso-scale");
    const ramp = element("div", "truso-ramp");
    ramp.style.background = `linear-gradient(to right, ${city.data.palette.join(",")})`;
    const ticks = element("div", "truso-ticks");
    ticks.append(...scale.ticks.map((tick) => element("span", "", tick)));
    holder.append(ramp, ticks);
    return holder;
  }

  window.trusoCity = { load, draw, update };
})();
