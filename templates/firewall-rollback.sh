#!/bin/sh
# Written by "mtp firewall apply": puts the rules from before back after SECONDS, unless they were confirmed by then.
# Needs nothing of mtp. Whoever renames the armed file decides: this script, or "mtp firewall confirm".
# usage: rollback.sh [SECONDS]
PATH=${PATH:-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd {{dir}} || exit 1
left=${1:-0}
while [ "$left" -gt 0 ]; do
	[ -e {{armed}} ] || exit 0
	sleep 1
	left=$((left - 1))
done
mv {{armed}} {{rolling}} 2>/dev/null || exit 0
exec >rollback.log 2>&1
status=0
run() {
	"$@" || status=1
}
{{steps}}
if [ "$status" -eq 0 ]; then mv {{rolling}} {{rolledBack}}; else mv {{rolling}} {{failed}}; fi
exit "$status"
