"""The Django project: settings, screens, REST."""
