"""What `docker-compose.yml` needs besides the workers: certificates and secrets, logins and rights, the first load."""
