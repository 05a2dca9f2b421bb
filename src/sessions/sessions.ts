/** The floor as one thing: what server and CLI hold of a Redis. */
import type { Store } from '../store/store.ts';
import { Bus } from './bus.ts';
import { Control } from './control.ts';
import { Directory } from './directory.ts';
import { Keys } from './keys.ts';
import { Nodes } from './nodes.ts';
import { Overview } from './overview.ts';
import { Registry } from './registry.ts';

export interface Sessions {
  store: Store;
  keys: Keys;
  directory: Directory;
  registry: Registry;
  nodes: Nodes;
  control: Control;
  bus: Bus;
  overview: Overview;
}

/** @param prefix of all keys, `ws` by default */
export function openSessions(store: Store, prefix: string): Sessions {
  const keys = new Keys(prefix);
  const directory = new Directory(store, keys);
  const nodes = new Nodes(store, keys);
  return {
    store,
    keys,
    directory,
    registry: new Registry(store, keys, directory),
    nodes,
    control: new Control(store, keys),
    bus: new Bus(store, keys),
    overview: new Overview({ store, keys, directory, nodes }),
  };
}
