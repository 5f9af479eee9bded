import { coverTarget } from '../config/fields.ts';
import type { Settings } from '../config/schema.ts';
import type { ProbeTarget } from '../probe/wire.ts';
import { assertCoverDomain } from '../secret/domain.ts';
import { usage } from '../secret/make.ts';
import { type Asker, unanswered } from '../ui/ask.ts';
import { assertUserName } from '../users/user.ts';

/** What the command line says; the rest is asked, or taken from an installation that is there. */
export interface Wishes {
  domain?: string | undefined;
  user?: string | undefined;
  port?: number | undefined;
  coverTarget?: string | undefined;
  server?: string | undefined;
  borrow: boolean;
}

/** The domain of the command line, of the configuration, or of a person. */
export async function answerDomain(
  wishes: Wishes,
  configured: string | undefined,
  suggestion: string,
  ask: Asker | null,
): Promise<string> {
  const question = 'Domain (your own, or one to borrow)';
  const answer = wishes.domain ?? configured ?? (await ask?.text(question, suggestion));
  if (answer === undefined) throw unanswered(question, '--domain NAME');
  assertCoverDomain(answer);
  return answer.toLowerCase();
}

const LOCAL_SITE = '127.0.0.1:8443';

/** Where the website answers: for a domain of one's own behind this port, else at the domain itself. */
export async function answerTarget(
  { coverTarget: wanted }: Wishes,
  { isOurs, configured, domain }: { isOurs: boolean; configured: string | undefined; domain: string },
  ask: Asker | null,
): Promise<{ text: string | null; target: ProbeTarget }> {
  const known = wanted ?? configured;
  if (known === undefined && !isOurs) return { text: null, target: { host: domain, port: 443 } };
  const question = 'Where its website answers on this machine';
  const text = known ?? (await ask?.text(question, LOCAL_SITE)) ?? LOCAL_SITE;
  const target = coverTarget.safeParse(text);
  if (!target.success)
    throw usage(`${JSON.stringify(text.slice(0, 80))} is no place of a website: host:port or unix:/path`);
  return { text, target: target.data };
}

export async function answerUser(wishes: Wishes, present: string | undefined, ask: Asker | null): Promise<string> {
  const name = wishes.user ?? present ?? (await ask?.text('First person (each has an own secret)', 'me')) ?? 'me';
  assertUserName(name);
  return name;
}

/** The server in links: a domain of one's own, else the address, which a person chooses where the sources disagree. */
export async function answerServer(
  wishes: Wishes,
  facts: {
    isOurs: boolean;
    domain: string;
    configured: string | undefined;
    address: string | null;
    candidates: string[];
  },
  ask: Asker | null,
): Promise<string> {
  const known = wishes.server ?? facts.configured ?? (facts.isOurs ? facts.domain : (facts.address ?? undefined));
  if (known !== undefined) return known;
  const question = 'Which address of this server do clients reach?';
  const chosen = facts.candidates.length > 0 ? await ask?.choose(question, facts.candidates) : undefined;
  if (chosen === undefined) throw unanswered(question, '--server ADDRESS');
  return chosen;
}

/** The settings of the file that a second run goes on with. */
export function configuredAnswers(settings: Settings, fromFile: (key: string) => boolean) {
  const { cover, link, listen } = settings;
  return {
    domain: fromFile('cover.domain') ? cover.domain : undefined,
    server: link.server,
    port: fromFile('listen.port') ? listen.port : undefined,
  };
}
