import type { ConfigEdit } from '../config/change.ts';
import type { SecretMode } from './secret.ts';

const ORDER = ['ee', 'dd', 'plain'] as const;

/** The edits of a take-over with what links of these kinds need to stay valid: their modes, and for plain ones every framing. */
export function acceptModes(edits: readonly ConfigEdit[], wanted: readonly SecretMode[]): ConfigEdit[] {
  const said = edits.find(({ key }) => key === 'protocol.modes')?.value;
  const modes = ORDER.filter(
    (mode) => (Array.isArray(said) ? said.includes(mode) : mode === 'ee') || wanted.includes(mode),
  );
  if (wanted.every((mode) => (Array.isArray(said) ? said.includes(mode) : mode === 'ee'))) return [...edits];
  const needsAll = modes.includes('plain');
  return [
    ...edits.filter(({ key }) => key !== 'protocol.modes' && !(needsAll && key === 'protocol.transports')),
    { key: 'protocol.modes', value: modes },
    ...(needsAll ? [{ key: 'protocol.transports', value: ['padded', 'intermediate', 'abridged'] }] : []),
  ];
}
