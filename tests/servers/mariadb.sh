#!/usr/bin/env bash
# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Throwaway MariaDB. usage: mariadb.sh start DIR PORT | stop DIR.  127.0.0.1:PORT, socket DIR/run/s; user test/test with database test (utf8mb4)
# Runs as MYUSER_OS (default mysql) when root. MY_TLS=1 for TLS with a self-signed certificate (DIR/tls/cert.pem).
set -euo pipefail
verb=${1:?start|stop}; dir=${2:?dir}
u=$(id -un); [ "$(id -u)" = 0 ] && u=${MYUSER_OS:-mysql}
case $verb in
start)
  port=${3:?port}; mkdir -p "$dir"/{run,tmp,tls}; dir=$(cd "$dir" && pwd)
  if [ ! -e "$dir/my.cnf" ]; then
    cat > "$dir/my.cnf" <<C
[mariadbd]
datadir=$dir/data
tmpdir=$dir/tmp
socket=$dir/run/s
pid-file=$dir/run/mariadbd.pid
port=$port
bind-address=127.0.0.1
user=$u
log-error=$dir/run/log
character-set-server=utf8mb4
collation-server=utf8mb4_general_ci
skip-name-resolve
innodb-buffer-pool-size=32M
innodb-log-file-size=16M
innodb-flush-log-at-trx-commit=2
innodb-flush-method=nosync
innodb-doublewrite=0
aria-pagecache-buffer-size=8M
performance-schema=OFF
C
    if [ "${MY_TLS:-0}" = 1 ]; then
      openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout "$dir/tls/key.pem" -out "$dir/tls/cert.pem" 2>/dev/null
      chmod 640 "$dir/tls/key.pem"; printf 'ssl-cert=%s\nssl-key=%s\n' "$dir/tls/cert.pem" "$dir/tls/key.pem" >> "$dir/my.cnf"
    fi
    [ "$(id -u)" = 0 ] && chown -R "$u" "$dir"
    mariadb-install-db --defaults-file="$dir/my.cnf" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve > "$dir/run/install.log" 2>&1 || { tail -20 "$dir/run/install.log"; exit 1; }
  fi
  sed -i "s/^port=.*/port=$port/" "$dir/my.cnf"
  setsid mariadbd --defaults-file="$dir/my.cnf" < /dev/null > "$dir/run/out" 2>&1 &
  pid=$!; echo $pid > "$dir/run/pid"
  for _ in $(seq 1 300); do
    kill -0 $pid 2>/dev/null || { echo "mariadbd died"; tail -20 "$dir/run/log"; exit 1; }
    if mariadb --no-defaults -S "$dir/run/s" -u root -e 'select 1' > /dev/null 2>&1; then break; fi; sleep 0.05
  done
  mariadb --no-defaults -S "$dir/run/s" -u root -e "create database if not exists test; create user if not exists test@'%' identified by 'test'; grant all on test.* to test@'%'"
  { echo "SA_URL=mysql+pymysql://test:test@127.0.0.1:$port/test?charset=utf8mb4"; echo "MY_CA=$dir/tls/cert.pem"; echo "PID=$pid"; } | tee "$dir/env";;
stop)
  [ -e "$dir/run/pid" ] || exit 0; pid=$(cat "$dir/run/pid")
  if grep -qa mariadbd "/proc/$pid/cmdline" 2>/dev/null; then kill -TERM "$pid"; for _ in $(seq 1 200); do grep -q '^State:.[^ZX]' "/proc/$pid/status" 2>/dev/null || break; sleep 0.1; done; fi
  rm -f "$dir/run/pid";;
esac
