#!/usr/bin/env node
// Runs the sources directly: Node strips the types. For development only.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from '../src/lib/cli/main.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pjson = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
pjson.oclif.commands = './src/commands';
pjson.oclif.hooks.command_not_found = './src/lib/cli/command-not-found';
await main(process.argv.slice(2), { root, pjson, ignoreManifest: true });
