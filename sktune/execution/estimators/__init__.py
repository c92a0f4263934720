"""What is asked of estimators and written to them: names, resources, devices."""
