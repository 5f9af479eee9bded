#!/usr/bin/env node
// Runs the sources directly: Node strips the types. For development only.
process.env.NODE_ENV = 'development';
const { main } = await import('../src/lib/cli/main.ts');
await main(process.argv.slice(2), import.meta.url);
