#!/usr/bin/env bash
# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Throwaway SSH server. usage: sshd.sh start DIR PORT | stop DIR.  127.0.0.1:PORT, for the user who starts it, with the key DIR/key
set -euo pipefail
verb=${1:?start|stop}; dir=${2:?dir}
case $verb in
start)
  port=${3:?port}; mkdir -p "$dir"; chmod 700 "$dir"; dir=$(cd "$dir" && pwd)
  [ -e "$dir/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
  [ -e "$dir/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
  cp "$dir/key.pub" "$dir/authorized_keys"
  echo "[127.0.0.1]:$port $(cat "$dir/host_key.pub")" > "$dir/known_hosts"
  cat > "$dir/config" <<C
Port $port
ListenAddress 127.0.0.1
HostKey $dir/host_key
AuthorizedKeysFile $dir/authorized_keys
PidFile $dir/pid
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
StrictModes no
Subsystem sftp internal-sftp
C
  # sshd wants its full path, and as root a folder of its own for the part without rights.
  program=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v sshd)
  if [ "$(id -u)" = 0 ]; then mkdir -p /run/sshd; fi
  "$program" -f "$dir/config" -E "$dir/log"
  for _ in $(seq 1 100); do if [ -s "$dir/pid" ]; then exit 0; fi; sleep 0.05; done
  cat "$dir/log"; exit 1 ;;
stop)
  [ -s "$dir/pid" ] || exit 0
  pid=$(cat "$dir/pid")
  if grep -qa sshd "/proc/$pid/cmdline" 2>/dev/null; then kill -TERM "$pid"; fi
  for _ in $(seq 1 100); do if [ ! -e "$dir/pid" ]; then exit 0; fi; sleep 0.05; done ;;
esac
