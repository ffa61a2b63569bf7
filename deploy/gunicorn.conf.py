"""Gunicorn for Ambient: used by ``ambient serve``, and by ``gunicorn -c deploy/gunicorn.conf.py`` directly.

Plain Gunicorn reads the same settings from the environment: ``gunicorn -c deploy/gunicorn.conf.py``.
"""

from ambient_core.serving.serve import gunicorn_settings

globals().update(gunicorn_settings())
