#!/bin/sh
# What execute's account sees: search-directory FILTER ATTRIBUTE...
exec ldapsearch -x -LLL -o ldif_wrap=no -H ldaps://openldap:1636 -b dc=kommun,dc=test \
  -D cn=execute,ou=services,dc=kommun,dc=test -y /run/secrets/ldap.password "$@"
