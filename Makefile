# Short names of commands, for operators who are used to make. Each runs one command of mtp; see: mtp --help
# Another mtp: make status MTP="node bin/run.js". Whose secret or link: make link NAME=bob

MTP ?= mtp
export NAME

.PHONY: help start stop restart reload status logs users secret rotate link links named
.DEFAULT_GOAL := help

help: ## show these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST))

start: ## start the proxy in the background
	@$(MTP) start

stop: ## let connections end, then stop
	@$(MTP) stop

restart: ## both
	@$(MTP) restart

reload: ## serve what the files say now
	@$(MTP) reload

status: ## show what the running proxy does
	@$(MTP) status

logs: ## show the newest lines of the log
	@$(MTP) logs

users: ## list who may connect
	@$(MTP) user list

secret: named ## give NAME a secret
	@$(MTP) secret add "$$NAME"

rotate: named ## replace the secret of NAME
	@$(MTP) secret rotate "$$NAME"

link: named ## print the link of NAME
	@$(MTP) link "$$NAME"

links: named ## print the links of NAME on all machines
	@$(MTP) fleet links "$$NAME"

named:
	@test -n "$$NAME" || { echo 'Say whose: make TARGET NAME=bob' >&2; exit 64; }
