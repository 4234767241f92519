"""From roads to travel times: network, demand points, engine, access figures and scenarios."""
