import type { Holdings } from '../supervisor/engine.ts';
import type { SourceTable } from './shared/sources.ts';
import type { UserTable } from './shared/user-table.ts';
import type { UserKeeper } from './user-keeper.ts';

/**
 * What the connections of this engine take of limits that hold for all engines together. `perSource` is whether networks are
 * limited by themselves.
 */
export function readHoldings(
  { sources, users }: { sources: SourceTable; users: UserTable },
  keeper: UserKeeper,
  { epoch, perSource }: { epoch: string; perSource: boolean },
): Holdings {
  const networks: number[] = [];
  if (perSource) sources.each((low, high, _row, connections) => networks.push(low, high, connections));
  const ids = keeper.limited();
  const places = new Map(ids.map(({ row }, place) => [row, place]));
  const taken: number[] = [];
  if (ids.length > 0) {
    users.eachNetwork((low, high, row, connections) => {
      const place = places.get(row);
      if (place !== undefined) taken.push(place, low, high, connections);
    });
  }
  return {
    epoch,
    networks: Int32Array.from(networks),
    ids: ids.map(({ id }) => id),
    users: Int32Array.from(taken),
    moved: keeper.slowed(),
  };
}
