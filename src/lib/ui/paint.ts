import { Chalk, type ChalkInstance } from 'chalk';

/** Colours for a stream: none when it is not a terminal or NO_COLOR is set (no-color.org), which chalk itself ignores. */
export function paint(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): ChalkInstance {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return new Chalk({ level: 0 });
  if (env.FORCE_COLOR !== undefined) return new Chalk();
  return stream.isTTY ? new Chalk() : new Chalk({ level: 0 });
}
