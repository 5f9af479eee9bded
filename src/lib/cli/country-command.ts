import { Args, Flags } from '@oclif/core';
import { type CountryWords, keepCountries, planCountries } from '../access/countries.ts';
import { describePolicy, type PolicyView, viewPolicy } from '../access/describe.ts';
import { type GuardEffect, notifyGuard } from '../access/notify.ts';
import { goesOn, ownHits, type OwnAddress } from '../access/own-hits.ts';
import { renderWarning } from '../ui/warning.ts';
import { BaseCommand } from './base-command.ts';
import { changeFlags } from './rule-flags.ts';

export const countryArgs = {
  countries: Args.string({
    required: true,
    description: 'Two letters each (ISO 3166-1), such as DE or US; one or more',
  }),
};

export const countryFlags = {
  mode: Flags.option({ options: ['block', 'only'] as const })({
    summary: 'block keeps countries out, only lets nobody else in; another one than now begins anew.',
  }),
  unknown: Flags.option({ options: ['allow', 'block'] as const })({
    summary: 'What becomes of addresses that the database knows no country of; allow if never given.',
  }),
  observe: Flags.boolean({ summary: 'Keep nobody out yet; "access check" says who would be.', allowNo: true }),
  database: Flags.string({ summary: 'Database of countries (.mmdb); needed the first time.', helpValue: 'FILE' }),
  ...changeFlags,
};

export interface ChangedCountries {
  before: PolicyView | null;
  policy: PolicyView | null;
  /** Networks that the policy takes. */
  networks: number;
  /** Addresses of the operator's that are let in no more. */
  hits: OwnAddress[];
  warnings: string[];
  changed: boolean;
  effect: GuardEffect | null;
}

/** What `mtp geo block` and `mtp geo allow` share. */
export abstract class CountryCommand extends BaseCommand {
  protected async decide(
    words: CountryWords,
    flags: { home?: string | undefined; yes: boolean; 'dry-run': boolean },
  ): Promise<ChangedCountries> {
    const paths = this.paths(flags);
    const now = Date.now();
    const { before, country, warnings } = await planCountries(paths, words, now);
    const warn = (sentence: string): void => this.logToStderr(renderWarning(sentence));
    for (const warning of warnings) warn(warning);
    const hits = await ownHits(paths, (access) => ({ ...access, countries: country }), now);
    const [policy, networks] = [country?.policy ?? null, country?.rulings.length ?? 0];
    const report = {
      before: before && viewPolicy(before),
      policy: policy && viewPolicy(policy),
      networks,
      hits,
      warnings,
    };
    const lines = policy === null ? ['Nothing is said of countries any more.'] : describePolicy(policy, networks);
    const dryRun = flags['dry-run'];
    if (dryRun) this.log('Dry run; nothing was changed. It would be:');
    if (!(await goesOn(hits, { yes: flags.yes || dryRun, warn }))) {
      this.log('Nothing was changed.');
      return { ...report, changed: false, effect: null };
    }
    for (const line of lines) this.log('%s', line);
    if (dryRun) return { ...report, changed: false, effect: null };
    await keepCountries(paths, policy);
    const effect = await notifyGuard(paths, 'What was said of countries is kept');
    this.log(effect.sentence);
    return { ...report, changed: true, effect };
  }
}
