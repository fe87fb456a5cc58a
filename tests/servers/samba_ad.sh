#!/usr/bin/env bash
# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Throwaway Samba 4 Active Directory DC, LDAP service only, one process. needs root (ports 389/636/3268 are fixed in Samba).
# usage: samba_ad.sh start DIR IP [REALM] | stop DIR        IP is a loopback address of its own, e.g. 127.0.0.2, 127.0.0.3
#  DIR/env holds the addresses and credentials. DIR is provisioned on first start (3 s), kept on restart.
#  ldaps://IP:636 (SAN has IP, dc name, localhost), ldap://IP:389 with StartTLS, GC on 3268/3269, ldapi://DIR/private/ldapi,
#  and the privileged ldapi://DIR/private/ldap_priv/ldapi (root, SASL EXTERNAL = SYSTEM).
# Extra environment: AD_SERVICES (default "ldap"; "ldap cldap kdc" for Kerberos on IP:88), AD_EXCHANGE=1 to add Exchange-like attributes,
#  AD_TEMPLATE=DIR of a stopped instance to copy instead of provisioning (same realm and host name; 0.6 s instead of 4 s),
#  AD_STRONG=yes|allow_sasl_over_tls|no (ldap server require strong auth), AD_PW, AD_HOST, AD_NETBIOS, AD_LOG (level).
set -euo pipefail
verb=${1:?start|stop}; dir=${2:?dir}
here=$(cd "$(dirname "$0")" && pwd)

case $verb in
start)
  ip=${3:?loopback ip}; realm=${4:-AD.TEST}; realm=${realm^^}; dom=${realm,,}
  nb=${AD_NETBIOS:-${realm%%.*}}; nb=${nb:0:15}; host=${AD_HOST:-dc${ip##*.}}
  base=DC=${dom//./,DC=}; pw=${AD_PW:-Passw0rd!Adm}
  mkdir -p "$dir"; dir=$(cd "$dir" && pwd)
  fresh=0
  if [ ! -e "$dir/private/sam.ldb" ]; then
    fresh=1
    mkdir -p "$dir"/{etc,private,state,cache,run,ncalrpc,tls,sysvol/$dom/scripts,bind-dns,ntp}; chmod 700 "$dir/private"; chmod 750 "$dir/ntp"
    cat > "$dir/etc/smb.conf" <<C
[global]
  netbios name = ${host^^}
  realm = $realm
  workgroup = ${nb^^}
  server role = active directory domain controller
  server services = ${AD_SERVICES:-ldap}
  interfaces = $ip/8
  bind interfaces only = yes
  private dir = $dir/private
  state directory = $dir/state
  cache directory = $dir/cache
  lock directory = $dir/run
  pid directory = $dir/run
  ncalrpc dir = $dir/ncalrpc
  binddns dir = $dir/bind-dns
  ntp signd socket directory = $dir/ntp
  winbindd socket directory = $dir/run/winbindd
  log file = $dir/run/log.%m
  log level = ${AD_LOG:-1}
  logging = file
  max log size = 0
  tls enabled = yes
  tls keyfile = $dir/tls/key.pem
  tls certfile = $dir/tls/cert.pem
  tls cafile = $dir/tls/cert.pem
  ldap server require strong auth = ${AD_STRONG:-yes}
  ldap max search request size = 256000
  dsdb:schema update allowed = yes
  ldap debug level = 0
  disable netbios = yes
  load printers = no
  printing = bsd
  printcap name = /dev/null
  panic action =
  usershare path =
[sysvol]
  path = $dir/sysvol
  read only = no
[netlogon]
  path = $dir/sysvol/$dom/scripts
  read only = no
C
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$host.$dom" -addext "subjectAltName=DNS:$host.$dom,DNS:localhost,IP:$ip" \
      -keyout "$dir/tls/key.pem" -out "$dir/tls/cert.pem" 2>/dev/null
    chmod 600 "$dir/tls/key.pem"     # samba refuses a key readable by others
    if [ -n "${AD_TEMPLATE:-}" ]; then
      # sam.ldb, secrets.ldb and idmap.ldb hold no absolute paths; --sparse is no help, --reflink where the file system has it
      for s in private state cache sysvol; do cp -a --reflink=auto "$AD_TEMPLATE/$s/." "$dir/$s/"; done
      rm -rf "$dir"/private/{ldapi,ldap_priv,smbd.tmp}
    else
    # -s has the paths; no --targetdir, or provision writes its own smb.conf
    samba-tool domain provision -s "$dir/etc/smb.conf" --quiet --realm="$realm" --domain="${nb^^}" --server-role=dc --dns-backend=NONE \
      --adminpass="$pw" --host-name="$host" --host-ip="$ip" --use-rfc2307 > "$dir/run/provision.log" 2>&1 || { cat "$dir/run/provision.log"; exit 1; }
    # passwords in tests: no history, no minimum age, never expire, no lockout
    samba-tool domain passwordsettings set -s "$dir/etc/smb.conf" -H "$dir/private/sam.ldb" --history-length=0 --min-pwd-age=0 --max-pwd-age=0 --account-lockout-threshold=0 >> "$dir/run/provision.log" 2>&1
    fi
    if [ -n "${AD_EXCHANGE:-}" ] && [ -z "${AD_TEMPLATE:-}" ]; then "$here/ad_extend_schema.sh" "$dir" "$base" >> "$dir/run/provision.log" 2>&1 || { cat "$dir/run/provision.log"; exit 1; }; fi
  fi
  # Samba runs on when it cannot listen, and the other server would be taken for it
  if (exec 3<>/dev/tcp/$ip/636) 2>/dev/null; then echo "another server listens on $ip:636"; exit 1; fi
  rm -f "$dir/run/samba.pid"
  setsid samba -l "$dir/run" -s "$dir/etc/smb.conf" -M single -F --no-process-group < /dev/null > "$dir/run/samba.out" 2>&1 &
  pid=$!; echo $pid > "$dir/run/pid"
  for _ in $(seq 1 300); do
    kill -0 $pid 2>/dev/null || { echo "samba died:"; cat "$dir/run/samba.out" "$dir"/run/log.* 2>/dev/null; exit 1; }
    if (exec 3<>/dev/tcp/$ip/636) 2>/dev/null; then
      { echo "AD_LDAPS=ldaps://$ip:636"; echo "AD_LDAP=ldap://$ip:389"; echo "AD_GC=ldap://$ip:3268"; echo "AD_LDAPI=$dir/private/ldapi"; echo "AD_BASE=$base"
        echo "AD_REALM=$realm"; echo "AD_NETBIOS=${nb^^}"; echo "AD_HOST=$host.$dom"; echo "AD_USER=Administrator@$dom"; echo "AD_PW=$pw"; echo "AD_CA=$dir/tls/cert.pem"; echo "AD_CONF=$dir/etc/smb.conf"; echo "PID=$pid"; } | tee "$dir/env"
      exit 0
    fi
    sleep 0.05
  done
  echo "samba not ready"; cat "$dir/run/samba.out"; exit 1;;
stop)
  [ -e "$dir/run/pid" ] || exit 0
  pid=$(cat "$dir/run/pid")
  if grep -qa samba "/proc/$pid/cmdline" 2>/dev/null; then
    kill -TERM "$pid"
    for _ in $(seq 1 100); do grep -q '^State:.[^ZX]' "/proc/$pid/status" 2>/dev/null || break; sleep 0.1; done
  fi
  rm -f "$dir/run/pid";;
*) echo "usage: $0 start DIR IP [REALM] | stop DIR"; exit 2;;
esac
