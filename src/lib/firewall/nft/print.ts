import { canonicalNetwork } from '../network.ts';
import { ipFamily } from '../../protocol/ip-address.ts';

/** A part of a rule as `nft -j` shows it (libnftables-json(5)): one key that says what it is. */
export type NftExpr = Record<string, unknown>;

/** A rule of `nft -j` in the words of `nft list`; what is not known here is shown as JSON, so that it differs from all else. */
export function printRule(expressions: readonly NftExpr[], comment?: string): string {
  const words = expressions.map(printStatement);
  return [...words, ...(comment === undefined ? [] : [`comment "${comment}"`])].join(' ');
}

function printStatement(expression: NftExpr): string {
  const [[kind, body] = ['', null]] = Object.entries(expression);
  const fields = (typeof body === 'object' && body !== null ? body : {}) as NftExpr;
  switch (kind) {
    case 'match':
      return printMatch(fields);
    case 'accept':
    case 'drop':
    case 'return':
      return kind;
    case 'jump':
    case 'goto':
      return `${kind} ${word(fields.target)}`;
    case 'counter':
      return typeof body === 'string' ? `counter name "${body}"` : 'counter';
    case 'reject':
      return fields.type === undefined ? 'reject' : `reject with ${word(fields.type)}`;
    case 'ct count':
      return `ct count ${over(fields)}${word(fields.val)}`;
    case 'limit': {
      const burst = fields.burst === undefined ? '' : ` burst ${word(fields.burst)} packets`;
      return `limit rate ${over(fields)}${word(fields.rate)}/${word(fields.per)}${burst}`;
    }
    case 'set':
      return `${word(fields.op)} ${word(fields.set)} { ${[printValue(fields.elem), ...printed(fields.stmt)].join(' ')} }`;
    default:
      return JSON.stringify(expression);
  }
}

function over(fields: NftExpr): string {
  return fields.inv === true ? 'over ' : '';
}

function printed(statements: unknown): string[] {
  return Array.isArray(statements) ? statements.map((one) => printStatement(one as NftExpr)) : [];
}

function printMatch({ op, left, right }: NftExpr): string {
  const isMasked = typeof left === 'object' && left !== null && '&' in left;
  const sign = op === '==' || op === 'in' ? (isMasked ? ' ==' : '') : ` ${String(op)}`;
  const isName = typeof left === 'object' && left !== null && /^[io]ifname$/.test(metaKey(left as NftExpr) ?? '');
  const value = isName ? `"${String(right)}"` : printValue(right);
  return `${printValue(left)}${sign} ${value}`;
}

function metaKey(expression: NftExpr): string | undefined {
  const { meta } = expression as { meta?: { key?: string } };
  return meta?.key;
}

function printValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(printValue).join(',');
  if (typeof value !== 'object' || value === null) return canonical(String(value));
  const [[kind, body] = ['', null]] = Object.entries(value as NftExpr);
  const fields = (typeof body === 'object' && body !== null ? body : {}) as NftExpr;
  switch (kind) {
    case 'payload':
      return fields.protocol === undefined ? JSON.stringify(value) : `${word(fields.protocol)} ${word(fields.field)}`;
    case 'meta':
      return /^[io]if(name)?$/.test(word(fields.key)) ? word(fields.key) : `meta ${word(fields.key)}`;
    case 'ct':
      return ['ct', fields.dir, fields.key]
        .filter((part) => part !== undefined)
        .map(word)
        .join(' ');
    case 'fib':
      return `fib ${printValue(fields.flags)} ${word(fields.result)}`;
    case '&':
      return (body as unknown[]).map(printValue).join(' & ');
    case 'set':
      return `{ ${(Array.isArray(body) ? body : [body]).map(printValue).join(', ')} }`;
    case 'prefix':
      return canonical(`${word(fields.addr)}/${word(fields.len)}`);
    case 'range':
      return (body as unknown[]).map(printValue).join('-');
    case 'elem':
      return printValue(fields.val);
    default:
      return JSON.stringify(value);
  }
}

function canonical(text: string): string {
  const [address = ''] = text.split('/');
  return ipFamily(address) !== 0 ? canonicalNetwork(text) : text;
}

/** A name or a number as it is; anything else as JSON. */
export function word(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
