import { formatSpan, formatTime, plural } from '../ui/format.ts';
import type { CountriesView } from './countries.ts';
import { type CountryPolicy, countryName } from './country.ts';
import type { Outcome, Speaker } from './explain.ts';
import type { Refreshed } from './feeds.ts';
import type { Level, Mode } from './level.ts';
import { formatPrefix } from './prefix.ts';
import { stateOf } from './rulings.ts';
import type { AccessRule, Feed } from './rule.ts';
import type { PlannedRule } from './store.ts';
import { formatWindow } from './window.ts';

/** Rules, feeds and countries as commands show them: times in ISO 8601. */

export interface RuleView {
  id: number;
  network: string;
  level: Level;
  mode: Mode;
  /** Whether it counts at this time. */
  state: 'active' | 'waiting' | 'ended';
  /** When that is next something else; null for never. */
  turnsAt: string | null;
  reason: string;
  windows: string[];
  /** Null without windows. */
  zone: string | null;
  createdAt: string;
  until: string | null;
}

export function viewRule(rule: AccessRule, now: number): RuleView {
  const { id, prefix, level, mode, reason, windows, zone, createdAt, until } = rule;
  const { active, turnsAt } = stateOf(rule, now);
  return {
    id,
    network: formatPrefix(prefix),
    level,
    mode,
    state: active ? 'active' : until !== null && now >= until ? 'ended' : 'waiting',
    turnsAt: isoOrNull(turnsAt),
    reason,
    windows: windows.map(formatWindow),
    zone: windows.length === 0 ? null : zone,
    createdAt: iso(createdAt),
    until: isoOrNull(until),
  };
}

export const RULE_HEADERS = ['ID', 'NETWORK', 'LEVEL', 'STATE', 'WHEN', 'REASON'];

export function ruleRow(rule: AccessRule, now: number): string[] {
  const { id, network, level, mode, state, reason } = viewRule(rule, now);
  const shown = mode === 'observe' ? `${state}, observed` : state;
  return [String(id), network, level, shown, whenOf(rule) || '-', reason || '-'];
}

/** What is done of each rule; as many as a person reads. */
export function describePlanned(planned: PlannedRule[]): string[] {
  const SHOWN = 20;
  const lines = planned.slice(0, SHOWN).map(({ action, rule, id }) => {
    const when = whenOf(rule);
    const what = `${formatPrefix(rule.prefix)} ${rule.level}${rule.mode === 'observe' ? ' (observed)' : ''}`;
    return `${ACTIONS[action]} ${what}${when === '' ? '' : `, ${when}`}${id === null ? '' : ` (rule ${id})`}`;
  });
  const rest = planned.length - SHOWN;
  return rest > 0 ? [...lines, `… and ${rest} more`] : lines;
}

const ACTIONS = { add: '+', change: '~', same: '=' };

/** When a rule counts, in words; empty for at any time. */
function whenOf({ windows, zone, until }: Pick<AccessRule, 'windows' | 'zone' | 'until'>): string {
  const open = windows.length === 0 ? [] : [`${windows.map(formatWindow).join('; ')} (${zone})`];
  return [...open, ...(until === null ? [] : [`until ${formatTime(until)}`])].join(' ');
}

export interface FeedView extends Omit<Feed, 'fetchedAt' | 'checkedAt' | 'createdAt'> {
  fetchedAt: string | null;
  checkedAt: string | null;
  createdAt: string;
}

export function viewFeed(feed: Feed): FeedView {
  const { fetchedAt, checkedAt, createdAt, ...rest } = feed;
  return { ...rest, fetchedAt: isoOrNull(fetchedAt), checkedAt: isoOrNull(checkedAt), createdAt: iso(createdAt) };
}

export const FEED_HEADERS = ['NAME', 'LEVEL', 'NETWORKS', 'REFRESH', 'CONTENT FROM', 'SHA-256'];

export function feedRow({ name, level, mode, networks, refreshMs, fetchedAt, sha256 }: Feed, now: number): string[] {
  return [
    name,
    mode === 'observe' ? `${level}, observed` : level,
    networks.toLocaleString('en'),
    refreshMs === null ? 'by hand' : formatSpan(refreshMs),
    fetchedAt === null ? 'never' : `${formatSpan(now - fetchedAt)} ago`,
    sha256?.slice(0, 16) ?? '-',
  ];
}

/** Where feeds come from, and what went wrong with them; one line each. */
export function feedNotes(feeds: Feed[], now: number): string[] {
  return feeds.flatMap(({ name, source, failure, checkedAt }) => [
    `${name}: ${source}`,
    ...(failure === null ? [] : [`  failed ${formatSpan(now - (checkedAt ?? now))} ago: ${failure}`]),
  ]);
}

/** What became of looking at a feed, in one sentence. */
export function describeRefreshed({ feed, state, before, wrong }: Refreshed): string {
  const { name, networks, failure, sha256 } = feed;
  if (state === 'failed') return `${name}: failed, and stays as it was: ${failure ?? ''}`;
  if (state === 'unchanged') return `${name}: unchanged, ${plural(networks, 'network')}`;
  const left = wrong === 0 ? '' : `; ${plural(wrong, 'line')} left out`;
  return `${name}: ${plural(networks, 'network')}, ${before ?? 0} before${left}, SHA-256 ${sha256 ?? ''}`;
}

const COUNTRIES = 'countries';

export interface SpeakerView {
  source: string;
  network: string;
  level: Level | null;
  mode: Mode;
  verdict: 'let in' | 'cover';
  active: boolean;
  turnsAt: string | null;
  reason: string;
}

export interface OutcomeView {
  address: string;
  verdict: 'let in' | 'cover';
  /** Whose word holds; null where nobody speaks. */
  by: SpeakerView | null;
  /** All who speak of the address, in the order in which their word counts. */
  speakers: SpeakerView[];
  /** As the database has it; null where there is none, or it does not know. */
  country: string | null;
}

export function viewOutcome(address: string, { lets, by, speakers }: Outcome, country: string | null): OutcomeView {
  return { address, verdict: verdictOf(lets), by: by && viewSpeaker(by), speakers: speakers.map(viewSpeaker), country };
}

function viewSpeaker(speaker: Speaker): SpeakerView {
  const { prefix, level, mode, lets, active, turnsAt, reason } = speaker;
  const view = { level, mode, verdict: verdictOf(lets), active, turnsAt: isoOrNull(turnsAt), reason };
  return { source: sourceOf(speaker), network: formatPrefix(prefix), ...view };
}

/** Why an address is let in or not, in lines: the outcome first. */
export function describeOutcome(view: OutcomeView): { sentence: string; headers: string[]; rows: string[][] } {
  const { address, verdict, by, speakers, country } = view;
  const from = country === null ? '' : `, ${nameOf(country)},`;
  const what = verdict === 'let in' ? 'is let in with a valid secret' : 'is shown the cover, whatever secret it has';
  const why =
    by === null
      ? 'no rule speaks of it'
      : `${by.source} ${by.source === COUNTRIES ? 'say' : 'says'} so of ${by.network}${untilOf(by)}`;
  return {
    sentence: `${address}${from} ${what}: ${why}.`,
    headers: ['', 'SOURCE', 'NETWORK', 'LEVEL', 'VERDICT', 'STATE', 'REASON'],
    rows: speakers.map((one) => [
      one.source === by?.source ? '*' : '',
      one.source,
      one.network,
      one.level ?? '-',
      one.verdict,
      one.active ? (one.mode === 'observe' ? 'observed' : 'active') : 'not now',
      one.reason || '-',
    ]),
  };
}

export interface PolicyView extends Omit<CountryPolicy, 'changedAt'> {
  changedAt: string;
}

export function viewPolicy({ changedAt, ...rest }: CountryPolicy): PolicyView {
  return { ...rest, changedAt: iso(changedAt) };
}

/** What is decided of countries, in sentences; `networks` of the database that it takes. */
export function describePolicy(policy: CountryPolicy, networks: number): string[] {
  const { kind, countries, unknown, mode, database } = policy;
  const names = countries.map(nameOf).join(', ');
  const some = kind === 'block' ? `Kept out: ${names}.` : `Let in: ${names}; nobody else.`;
  return [
    countries.length === 0 ? 'No country is kept out.' : some,
    `Addresses of no known country are ${unknown === 'block' ? 'kept out' : 'let in'}.`,
    `That is ${plural(networks, 'network')} of ${database}.`,
    ...(mode === 'observe' ? ['It is only observed: nobody is kept out by it.'] : []),
  ];
}

/** The same of what is in force, and how old the database is. */
export function describeCountries({ policy, networks, database }: CountriesView, now: number): string[] {
  if (policy === null) return ['Nothing is said of countries. Begin with: mtp geo block --help'];
  const age =
    database === null ? [] : [`It is ${database.type}, made ${formatSpan(now - Date.parse(database.builtAt))} ago.`];
  return [...describePolicy(policy, networks), ...age];
}

export function nameOf(code: string): string {
  const name = countryName(code);
  return name === null ? code : `${name} (${code})`;
}

function sourceOf({ kind, name }: Speaker): string {
  return kind === 'countries' ? COUNTRIES : `${kind} ${name}`;
}

function verdictOf(lets: boolean): 'let in' | 'cover' {
  return lets ? 'let in' : 'cover';
}

function untilOf({ turnsAt }: SpeakerView): string {
  return turnsAt === null ? '' : ` until ${formatTime(Date.parse(turnsAt))}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
