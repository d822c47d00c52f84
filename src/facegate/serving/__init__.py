"""The service and the kiosk."""
