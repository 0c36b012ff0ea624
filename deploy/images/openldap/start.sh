#!/bin/sh
# Fills an empty directory once, gives execute's account the password of its secret file, and runs slapd. LDAPS only.
set -eu

conf=/kallan/slapd.conf
if [ ! -f /var/lib/ldap/filled ]; then
  rm -f /var/lib/ldap/*.mdb
  slapadd -f "$conf" -l /kallan/first.ldif
  touch /var/lib/ldap/filled
fi
slapmodify -f "$conf" <<LDIF
dn: cn=execute,ou=services,dc=kommun,dc=test
changetype: modify
replace: userPassword
userPassword: $(slappasswd -n -T /run/secrets/ldap.password)
LDIF
exec slapd -d 0 -f "$conf" -h ldaps://:1636
