"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const SHAPES = {
    // The same shapes as in the app: who holds both must not take one use for another.
    all_functions: { path: "M2.5 2.5 L15.5 2.5 L15.5 15.5 L2.5 15.5 Z", fill: "#d55e00" },
    committee_one_stop: { path: "M9 .8 L17.2 9 L9 17.2 L.8 9 Z", fill: "#d55e00" },
    party_council: { path: "M9 1.2 L17 15.6 L1 15.6 Z", fill: "#ffffff" },
    other: { path: "M9 6 A3 3 0 1 1 8.99 6 Z", fill: "#8a8a8a" },
  };
  const UNKNOWN = { fillColor: "#ffffff", fillOpacity: 0.7, dashArray: "4 4" };

  // Every text goes in as text: a name is never read as markup.
  function element(tag, text, properties) {
    const node = Object.assign(document.createElement(tag), properties || {});
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function symbol(name) {
    const svg = document.createElementNS(SVG, "svg");
    const path = document.createElementNS(SVG, "path");
    const shape = SHAPES[name];
    for (const [key, value] of Object.entries({ width: 18, height: 18, viewBox: "0 0 18 18" })) svg.setAttribute(key, value);
    for (const [key, value] of Object.entries({ d: shape.path, fill: shape.fill, stroke: "#000", "stroke-width": name === "other" ? 0.8 : 2 })) {
      path.setAttribute(key, value);
    }
    svg.setAttribute("aria-hidden", "true");
    svg.append(path);
    return svg;
  }

  function swatch(style) {
    const svg = document.createElementNS(SVG, "svg");
    const box = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ width: 26, height: 16 })) svg.setAttribute(key, value);
    const look = { x: 1, y: 1, width: 24, height: 14, fill: style.fillColor, "fill-opacity": style.fillOpacity, stroke: "#333" };
    for (const [key, value] of Object.entries(look)) box.setAttribute(key, value);
    if (style.dashArray) box.setAttribute("stroke-dasharray", style.dashArray);
    svg.append(box);
    return svg;
  }

  function card(title, labels, values, text, why) {
    const node = element("div", undefined, { className: "card" });
    const table = element("table");
    labels.forEach(function (label, i) {
      if (values[i] === "") return;
      const row = table.insertRow();
      row.append(element("th", label, { scope: "row" }), element("td", values[i]));
    });
    node.append(element("h3", title));
    if (text) node.append(element("p", text));
    if (why && why.length) {
      const box = element("details");
      const list = element("ol");
      for (const sentence of why) list.append(element("li", sentence));
      box.append(element("summary", data.why), list);
      node.append(box);
    }
    node.append(table);
    return node;
  }

  function styleOf(unit, measure) {
    const at = unit.classes[measure.key];
    const known = { fillColor: at < 0 ? "" : measure.classes[at].colour, fillOpacity: 0.75, dashArray: null };
    return Object.assign({ color: "#333", weight: unit.id === marked ? 4 : 1 }, at < 0 ? UNKNOWN : known);
  }

  const map = L.map("map", { preferCanvas: false, zoomSnap: 0.25 });
  map.attributionControl.setPrefix("Leaflet");
  L.control.scale({ imperial: false }).addTo(map);
  // From afar the marks of the city centre would hide one another.
  map.on("zoomend", function () { map.getContainer().classList.toggle("far", map.getZoom() < 11); });
  const layers = new Map();
  const rows = new Map();
  let current = data.measures[0];
  let marked = null;

  for (const unit of data.units) {
    const layer = L.polygon(unit.shape, Object.assign({ className: "unit", smoothFactor: 0.5 }, styleOf(unit, current)));
    layer.bindPopup(function () { return card(unit.name, data.unit_labels, unit.values, unit.reason, unit.why); }, { maxWidth: 440 });
    layer.on("popupopen", function () { mark(unit.id); });
    layers.set(unit.id, layer.addTo(map));
  }
  const everything = L.featureGroup(Array.from(layers.values()));
  const home = function () { if (layers.size) map.fitBounds(everything.getBounds(), { animate: false }); };

  for (const site of data.sites) {
    const icon = L.divIcon({ className: "site", html: symbol(site.symbol), iconSize: [18, 18] });
    const marker = site.symbol === "other"
      ? L.circleMarker(site.at, { className: "candidate", radius: 3, weight: 1, color: "#333", fillColor: "#8a8a8a", fillOpacity: 0.9 })
      : L.marker(site.at, { icon: icon, keyboard: false });
    marker.bindPopup(function () { return card(site.name, data.site_labels, site.values); }, { maxWidth: 440 }).addTo(map);
  }

  const findings = L.layerGroup(data.findings.map(function (finding) {
    const look = { className: "finding", radius: finding.size, weight: 1, color: "#000", fillColor: finding.grave ? "#c1121f" : "#9b4dca", fillOpacity: 0.75 };
    const values = finding.values;
    return L.circleMarker(finding.at, look).bindPopup(function () { return card(finding.title, data.finding_labels, values, finding.text); }, { maxWidth: 440 });
  }));
  document.getElementById("findings_box").hidden = data.findings.length === 0;
  document.getElementById("findings_count").textContent = String(data.findings.length);
  document.getElementById("findings").addEventListener("change", function (event) {
    if (event.target.checked) findings.addTo(map); else findings.remove();
  });

  function mark(id) {
    marked = id;
    rows.forEach(function (row, key) { row.setAttribute("aria-current", String(key === id)); });
    for (const unit of data.units) layers.get(unit.id).setStyle(styleOf(unit, current));
    layers.get(id).bringToFront();
    document.querySelectorAll("path.candidate").forEach(function (node) { node.parentNode.append(node); });
  }

  function choose(id) {
    map.fitBounds(layers.get(id).getBounds(), { maxZoom: 14, animate: false });
    layers.get(id).openPopup();
  }

  function paint() {
    for (const unit of data.units) layers.get(unit.id).setStyle(styleOf(unit, current));
    const legend = document.getElementById("legend");
    legend.replaceChildren();
    const add = function (picture, text) {
      const item = element("li");
      item.append(picture, element("span", text));
      legend.append(item);
    };
    for (const entry of current.classes) add(swatch({ fillColor: entry.colour, fillOpacity: 0.75 }), entry.label);
    if (data.units.some(function (unit) { return unit.classes[current.key] < 0; })) add(swatch(UNKNOWN), data.unknown);
    for (const entry of data.symbols) add(symbol(entry.symbol), entry.label);
  }

  const select = document.getElementById("measure");
  data.measures.forEach(function (measure, i) { select.append(element("option", measure.label, { value: String(i) })); });
  select.addEventListener("change", function () { current = data.measures[Number(select.value)]; paint(); });

  const body = document.getElementById("units");
  data.columns.forEach(function (label, i) {
    document.getElementById("columns").append(element("th", label, { scope: "col", className: i ? "number" : "" }));
  });
  for (const unit of data.units) {
    const row = body.insertRow();
    const button = element("button", unit.name, { type: "button" });
    button.addEventListener("click", function () { choose(unit.id); });
    row.insertCell().append(button);
    for (const text of unit.cells) row.append(element("td", text, { className: "number" }));
    rows.set(unit.id, row);
  }

  function fold(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[\u0110\u0111]/g, "d").toLowerCase();
  }

  document.getElementById("search").addEventListener("input", function (event) {
    const wanted = fold(event.target.value.trim());
    let found = 0;
    for (const unit of data.units) {
      const hit = fold(unit.name + " " + unit.id).includes(wanted);
      rows.get(unit.id).hidden = !hit;
      found += hit;
    }
    document.getElementById("none").hidden = found > 0;
  });
  document.getElementById("home").addEventListener("click", home);

  home();
  paint();
  document.body.dataset.units = String(layers.size);
})();
