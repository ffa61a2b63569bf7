"""The processes that serve: Gunicorn, its worker, and health and figures beside them."""
