#!/usr/bin/env bash
# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Throwaway cron in a mount namespace of its own: the system's crontabs are neither read nor changed. Needs root.
# usage: cron.sh start DIR | stop DIR.  Files in DIR/cron.d are those of /etc/cron.d.
set -euo pipefail
verb=${1:?start|stop}; dir=${2:?dir}
case $verb in
start)
  mkdir -p "$dir"/{spool,cron.d,run}; dir=$(cd "$dir" && pwd); chmod 1730 "$dir/spool"; touch "$dir/crontab"
  # shellcheck disable=SC2016 # $1 is for the inner shell
  setsid unshare --mount --propagation private bash -c '
    mount --bind "$1/spool" /var/spool/cron/crontabs
    mount --bind "$1/cron.d" /etc/cron.d
    mount --bind "$1/crontab" /etc/crontab
    mount --bind "$1/run" /run
    exec cron -f -L 5' _ "$dir" < /dev/null > "$dir/log" 2>&1 &
  echo $! > "$dir/pid"
  sleep 0.3
  kill -0 "$(cat "$dir/pid")" || { cat "$dir/log"; exit 1; } ;;
stop)
  [ -e "$dir/pid" ] || exit 0
  pid=$(cat "$dir/pid")
  if grep -qa cron "/proc/$pid/cmdline" 2>/dev/null; then kill -TERM "$pid"; fi
  rm -f "$dir/pid" ;;
esac
