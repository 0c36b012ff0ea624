"""Operations: what readiness, metrics and `kallan status` share."""
