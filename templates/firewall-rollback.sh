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
# What is just being applied comes first: it looks for the armed file before it begins.
tries=0
while [ -s applying ] && kill -0 "$(cat applying)" 2>/dev/null && [ "$tries" -lt 60 ]; do
	sleep 1
	tries=$((tries + 1))
done
status=0
run() {
	"$@" || status=1
}
{{steps}}
end={{rolledBack}}
[ "$status" -eq 0 ] || end={{failed}}
mv {{rolling}} "$end"
exit "$status"
