import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { read, ROOT } from './tree.ts';

test('oclif.manifest.json is what the commands say now', () => {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'mtp-manifest-'));
  try {
    for (const part of ['package.json', 'src', 'rolldown.config.js', 'bin', 'templates']) {
      cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true });
    }
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: copy, stdio: 'ignore' });
    expect(JSON.parse(readFileSync(path.join(copy, 'oclif.manifest.json'), 'utf8'))).toEqual(
      JSON.parse(read('oclif.manifest.json')),
    );
  } finally {
    rmSync(copy, { recursive: true });
  }
});
