#!/usr/bin/env bash
# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Throwaway OpenLDAP. usage: slapd.sh start DIR PORT | stop DIR
# ldap://127.0.0.1:PORT  ldaps://127.0.0.1:PORT+1  ldapi://DIR/run/ldapi (keep DIR short: unix socket path < 108 bytes)
# Suffix dc=example,dc=test (SLAPD_SUFFIX: another one of dc=...); rootdn cn=admin,SUFFIX / secret; accesslog at cn=accesslog
# Extra environment: SLAPD_SIZE_SOFT (default 500), SLAPD_SIZE_HARD (default unlimited), SLAPD_SIZE_PAGED (default unlimited), SLAPD_MAXSIZE (mdb map bytes, default 1 GiB),
#   SLAPD_SYNC=1 to keep fsync on (default off: throwaway), SLAPD_PPOLICY=1 for the ppolicy overlay,
#   SLAPD_MEMBEROF=0 to leave out the memberof and refint overlays
set -euo pipefail
verb=${1:?start|stop}; dir=${2:?dir}
SLAPD=${SLAPD:-/usr/sbin/slapd}
SCHEMA=${SLAPD_SCHEMA:-/etc/ldap/schema}
suffix=${SLAPD_SUFFIX:-dc=example,dc=test}; first=${suffix%%,*}; rootdn="cn=admin,$suffix"; pw=secret

# a zombie is gone too: pid 1 may be slow to reap
wait_gone() { for _ in $(seq 1 100); do grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null || return 0; sleep 0.1; done; return 1; }

case $verb in
start)
  port=${3:?port}; tls=$((port+1))
  mkdir -p "$dir"/{config,db,accesslog,run,tls}; chmod 700 "$dir/config" "$dir/db" "$dir/accesslog"
  dir=$(cd "$dir" && pwd)
  sock="$dir/run/ldapi"; uri=ldapi://${sock//\//%2F}/
  if [ ! -e "$dir/tls/server.pem" ]; then   # EC key: made in 10 ms
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost \
      -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -addext 'basicConstraints=critical,CA:TRUE' \
      -keyout "$dir/tls/server.key" -out "$dir/tls/server.pem" 2>/dev/null
    chmod 600 "$dir/tls/server.key"
  fi
  if [ ! -e "$dir/config/cn=config.ldif" ]; then
    nosync=TRUE; [ "${SLAPD_SYNC:-0}" = 1 ] && nosync=FALSE
    {
    cat <<L
dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: $dir/run/slapd.pid
olcArgsFile: $dir/run/slapd.args
olcTLSCertificateFile: $dir/tls/server.pem
olcTLSCertificateKeyFile: $dir/tls/server.key
olcTLSCACertificateFile: $dir/tls/server.pem
olcTLSVerifyClient: never
olcToolThreads: 1
olcThreads: 4
olcSizeLimit: size.soft=${SLAPD_SIZE_SOFT:-500} size.hard=${SLAPD_SIZE_HARD:-unlimited} size.prtotal=${SLAPD_SIZE_PAGED:-unlimited}
olcAuthzRegexp: {0}gidNumber=0\+uidNumber=0,cn=peercred,cn=external,cn=auth $rootdn

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: memberof
olcModuleLoad: refint
olcModuleLoad: syncprov
olcModuleLoad: accesslog
olcModuleLoad: sssvlv
olcModuleLoad: ppolicy
olcModuleLoad: dynlist
olcModuleLoad: unique

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

L
    for s in core cosine inetorgperson nis; do echo "include: file://$SCHEMA/$s.ldif"; echo; done
    cat <<L
dn: olcDatabase={-1}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {-1}frontend
olcAccess: {0}to dn.exact="" by * read
olcAccess: {1}to dn.base="cn=Subschema" by * read

dn: olcDatabase={0}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {0}config
olcRootDN: cn=admin,cn=config
olcRootPW: $pw
olcAccess: {0}to * by dn.exact="$rootdn" manage by * none

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: cn=accesslog
olcDbDirectory: $dir/accesslog
olcDbMaxSize: ${SLAPD_MAXSIZE:-1073741824}
olcDbNoSync: $nosync
olcRootDN: $rootdn
olcDbIndex: default eq
olcDbIndex: entryCSN,objectClass,reqEnd,reqResult,reqStart,reqDN eq

dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcSyncProvConfig
olcOverlay: {0}syncprov
olcSpNoPresent: TRUE
olcSpReloadHint: TRUE

dn: olcDatabase={2}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {2}mdb
olcSuffix: $suffix
olcDbDirectory: $dir/db
olcDbMaxSize: ${SLAPD_MAXSIZE:-1073741824}
olcDbNoSync: $nosync
olcRootDN: $rootdn
olcRootPW: $pw
olcDbIndex: objectClass eq
olcDbIndex: entryUUID eq
olcDbIndex: entryCSN eq
olcDbIndex: uid eq,pres
olcDbIndex: cn,sn,mail,member,memberOf,employeeNumber eq
olcAccess: {0}to attrs=userPassword by self write by anonymous auth by * none
olcAccess: {1}to * by self write by users read by * none

L
    [ "${SLAPD_MEMBEROF:-1}" = 0 ] || cat <<L
dn: olcOverlay={0}memberof,olcDatabase={2}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcMemberOf
olcOverlay: {0}memberof
olcMemberOfRefInt: TRUE
olcMemberOfGroupOC: groupOfNames
olcMemberOfMemberAD: member
olcMemberOfMemberOfAD: memberOf

dn: olcOverlay={1}refint,olcDatabase={2}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcRefintConfig
olcOverlay: {1}refint
olcRefintAttribute: manager
olcRefintAttribute: seeAlso
olcRefintNothing: $rootdn

L
    cat <<L
dn: olcOverlay={2}syncprov,olcDatabase={2}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcSyncProvConfig
olcOverlay: {2}syncprov
olcSpCheckpoint: 100 1
olcSpSessionlog: 10000

dn: olcOverlay={3}accesslog,olcDatabase={2}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcAccessLogConfig
olcOverlay: {3}accesslog
olcAccessLogDB: cn=accesslog
olcAccessLogOps: writes
olcAccessLogSuccess: TRUE
olcAccessLogOld: (objectClass=*)
olcAccessLogPurge: 7+00:00 1+00:00

dn: olcOverlay={4}sssvlv,olcDatabase={2}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcSssVlvConfig
olcOverlay: {4}sssvlv
L
    if [ -n "${SLAPD_PPOLICY:-}" ]; then
      printf '%s\n' '' "dn: olcOverlay={5}ppolicy,olcDatabase={2}mdb,cn=config" 'objectClass: olcOverlayConfig' \
        'objectClass: olcPPolicyConfig' 'olcOverlay: {5}ppolicy'
    fi
    } > "$dir/config.ldif"
    /usr/sbin/slapadd -q -n 0 -F "$dir/config" -l "$dir/config.ldif"
    printf '%s\n' "dn: $suffix" 'objectClass: dcObject' 'objectClass: organization' 'o: Example' "dc: ${first#dc=}" '' \
      "dn: ou=people,$suffix" 'objectClass: organizationalUnit' 'ou: people' '' \
      "dn: ou=groups,$suffix" 'objectClass: organizationalUnit' 'ou: groups' '' > "$dir/base.ldif"
    /usr/sbin/slapadd -q -w -F "$dir/config" -b "$suffix" -l "$dir/base.ldif"
  fi
  rm -f "$sock"
  # -d 0 keeps it in the foreground; the pid we record is then ours
  setsid "$SLAPD" -F "$dir/config" -h "ldap://127.0.0.1:$port/ ldaps://127.0.0.1:$tls/ $uri" -d ${SLAPD_DEBUG:-0} \
     < /dev/null > "$dir/run/slapd.log" 2>&1 &
  pid=$!; echo $pid > "$dir/run/pid"
  for _ in $(seq 1 200); do
    kill -0 $pid 2>/dev/null || { echo "slapd died:"; cat "$dir/run/slapd.log"; exit 1; }
    if (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && [ -S "$sock" ]; then
      { echo "LDAP_URI=ldap://127.0.0.1:$port"; echo "LDAPS_URI=ldaps://127.0.0.1:$tls"; echo "LDAPI_URI=$uri"
        echo "LDAP_SUFFIX=$suffix"; echo "LDAP_BIND_DN=$rootdn"; echo "LDAP_BIND_PW=$pw"; echo "LDAP_CA=$dir/tls/server.pem"; echo "PID=$pid"; } | tee "$dir/env"
      exit 0
    fi
    sleep 0.05
  done
  echo "slapd not ready"; exit 1;;
stop)
  [ -e "$dir/run/pid" ] || exit 0
  pid=$(cat "$dir/run/pid")
  # the pid must still be our slapd
  grep -qa slapd "/proc/$pid/cmdline" 2>/dev/null && kill -TERM "$pid" && wait_gone "$pid"
  rm -f "$dir/run/pid";;
*) echo "usage: $0 start DIR PORT | stop DIR"; exit 2;;
esac
