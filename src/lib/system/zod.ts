import { z } from 'zod';

// Most schemas check one thing in the life of a process: compiling them first costs a short command more than it saves.
z.config({ jitless: true });

export { z };
