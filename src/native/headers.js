import fs from 'node:fs';
import path from 'node:path';

const NEEDED = ['node_api.h', 'common.gypi', 'openssl/evp.h', 'uv.h'];

/**
 * The directory with the running Node's `include/node`, where it lies beside the program as in Node's archive and in its npm
 * package; undefined elsewhere.
 */
export function headers() {
  const prefix = path.resolve(process.execPath, '../..');
  const name = `node-${process.platform}-${process.arch}`;
  const places = [prefix, path.join(prefix, 'node_modules', name), path.join(prefix, '..', name)];
  return places.find((place) => {
    const include = path.join(place, 'include/node');
    return NEEDED.every((file) => fs.existsSync(path.join(include, file))) && majorIn(include) === ownMajor();
  });
}

function ownMajor() {
  return process.versions.node.split('.')[0];
}

function majorIn(include) {
  const file = path.join(include, 'node_version.h');
  return fs.existsSync(file) ? /#define NODE_MAJOR_VERSION (\d+)/.exec(fs.readFileSync(file, 'utf8'))?.[1] : undefined;
}
