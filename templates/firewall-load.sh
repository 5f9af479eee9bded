#!/bin/sh
# Written by mtp; taken away by: mtp firewall remove
set -e
PATH=${PATH:-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$(dirname "$0")"
{{steps}}
