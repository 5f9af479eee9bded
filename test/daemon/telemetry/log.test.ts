import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { humanLog, jsonLog } from '../../../src/daemon/telemetry/log.ts';

function sink(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { stream, text: () => text };
}

describe('log', () => {
  it('writes one JSON object a line, with event, level, time and facts', async () => {
    const { stream, text } = sink();
    jsonLog(stream, { level: 'info' })('warn', 'engine_ended', { status: 7 }, 'the engine ended');
    await expect.poll(text).toContain('\n');
    expect(JSON.parse(text())).toMatchObject({
      level: 'warn',
      event: 'engine_ended',
      status: 7,
      msg: 'the engine ended',
    });
    expect(JSON.parse(text())).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT/));
  });
  it('keeps quiet below its level', async () => {
    const { stream, text } = sink();
    const now = (): Date => new Date(0);
    humanLog(stream as unknown as NodeJS.WriteStream, { level: 'warn' }, now)('info', 'started');
    humanLog(stream as unknown as NodeJS.WriteStream, { level: 'warn' }, now)('error', 'worker_died', { worker: 2 });
    await expect.poll(text).toContain('\n');
    expect(text()).not.toContain('started');
    expect(text()).toMatch(/^\d\d:\d\d:\d\d ✖ worker died worker=2\n$/);
  });
});
