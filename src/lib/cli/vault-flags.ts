import { Flags } from '@oclif/core';
import { ALGORITHMS } from '../keyring/algorithms.ts';
import { COST } from '../vault/cost.ts';

/** How a file is opened. */
export const openingFlags = {
  'passphrase-file': Flags.string({
    summary: 'Take the passphrase from the first line of this file; - is standard input. Asked for if not given.',
    helpValue: 'FILE',
  }),
  aad: Flags.string({
    summary: 'A label that stands in the file in the clear and is authenticated with it; may be repeated.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
  }),
  force: Flags.boolean({ summary: 'Replace a file that is there.' }),
};

/** How a file is sealed. */
export const sealingFlags = {
  algorithm: Flags.option({ options: ALGORITHMS })({
    summary: 'Authenticated cipher; crypto.algorithm if not given.',
  }),
  'kdf-cost': Flags.integer({
    summary:
      'log2 of the cost of trying a passphrase (scrypt): one more doubles time and memory, 17 takes 128 MB; crypto.kdf_cost if not given.',
    min: COST.least,
    max: COST.most,
  }),
};
