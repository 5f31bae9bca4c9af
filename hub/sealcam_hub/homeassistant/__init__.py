"""Home Assistant: states, reports and commands over a broker that the owner names. design/hub.md, "Home Assistant"."""
