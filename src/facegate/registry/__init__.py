"""The only room that talks to MLflow: tracking, lineage, registered versions."""
