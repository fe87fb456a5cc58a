#!/usr/bin/env bash
# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Throwaway PostgreSQL. usage: postgres.sh start DIR PORT | stop DIR.  127.0.0.1:PORT and unix socket in DIR/run; user test/test, database test (UTF8)
# PostgreSQL refuses root: as root it runs under PGUSER_OS (default: postgres, else nobody), which must be able to enter DIR's parents.
# PG_TLS=1: TLS with a self-signed certificate (DIR/data/server.crt). 
set -euo pipefail
verb=${1:?start|stop}; dir=${2:?dir}
bin=${PGBIN:-}; for b in /usr/lib/postgresql/*/bin /usr/local/bin; do [ -n "$bin" ] || { [ -x "$b/initdb" ] && bin=$b; }; done
as=(); if [ "$(id -u)" = 0 ]; then u=${PGUSER_OS:-$(id -un postgres 2>/dev/null || echo nobody)}; as=(setpriv --reuid="$u" --regid="$(id -gn "$u")" --clear-groups env HOME=/ LC_ALL=C.UTF-8); fi
case $verb in
start)
  port=${3:?port}; mkdir -p "$dir/run"; dir=$(cd "$dir" && pwd)
  [ ${#as[@]} = 0 ] || chown "$u" "$dir" "$dir/run"
  cd "$dir"
  if [ ! -e data/PG_VERSION ]; then
    echo test > run/pw; [ ${#as[@]} = 0 ] || chown "$u" run/pw
    # --no-sync: throwaway; scram so that wrong passwords are refused
    "${as[@]}" "$bin/initdb" -D "$dir/data" -U test --pwfile="$dir/run/pw" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions > "$dir/run/initdb.log" 2>&1 || { cat "$dir/run/initdb.log"; exit 1; }
    cat >> data/postgresql.conf <<C
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir/run'
fsync = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 40
log_min_messages = warning
C
    if [ "${PG_TLS:-0}" = 1 ]; then
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout data/server.key -out data/server.crt 2>/dev/null
      chmod 600 data/server.key; [ ${#as[@]} = 0 ] || chown "$u" data/server.key data/server.crt
      echo 'ssl = on' >> data/postgresql.conf
    fi
  fi
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -o "-p $port" -l "$dir/run/log" -w -t 30 -s start
  PGPASSWORD=test "${as[@]}" env PGPASSWORD=test "$bin/psql" -h "$dir/run" -p "$port" -U test -d postgres -Atqc "select 1 from pg_database where datname='test'" | grep -q 1 || \
    "${as[@]}" env PGPASSWORD=test "$bin/psql" -h "$dir/run" -p "$port" -U test -d postgres -qc 'create database test'
  { echo "SA_URL=postgresql+psycopg://test:test@127.0.0.1:$port/test"; echo "PID=$(head -1 data/postmaster.pid)"; } | tee "$dir/env";;
stop)
  [ -e "$dir/data/postmaster.pid" ] || exit 0
  dir=$(cd "$dir" && pwd); cd "$dir"; "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m fast -w -s stop;;
esac
