import type { Target } from '../target.ts';
import { FILE_TARGETS } from './files.ts';
import { HELLO_TARGETS } from './hello.ts';
import { OPENING_TARGETS } from './opening.ts';
import { PROXY_TARGETS } from './proxies.ts';
import { RECORD_TARGETS } from './records.ts';
import { SERVER_HELLO_TARGETS } from './server-hello.ts';
import { SOCKET_TARGETS } from './sockets.ts';
import { TEXT_TARGETS } from './texts.ts';

/** Everything that takes bytes from outside. */
export const TARGETS: readonly Target[] = [
  ...HELLO_TARGETS,
  ...RECORD_TARGETS,
  ...OPENING_TARGETS,
  ...PROXY_TARGETS,
  ...SERVER_HELLO_TARGETS,
  ...TEXT_TARGETS,
  ...FILE_TARGETS,
  ...SOCKET_TARGETS,
];
