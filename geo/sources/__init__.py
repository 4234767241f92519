"""What comes from outside: the data folder, OSM extracts, downloads. The only code that meets foreign formats."""
