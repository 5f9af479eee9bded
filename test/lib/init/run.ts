import { randomBytes } from 'node:crypto';
import type { ExecuteEdges } from '../../../src/lib/init/execute.ts';
import { type InitEdges, type InitResult, runInit } from '../../../src/lib/init/init.ts';
import { systemLayout } from '../../../src/lib/init/layout.ts';
import { exec } from '../../../src/lib/system/exec.ts';
import { silentStep } from '../../../src/lib/ui/steps.ts';
import { OUR_ADDRESS } from '../../support/init-world.ts';

/** Install as `mtp init --yes` does. `where` are root, port, port of the website, name server and address service. */
export async function run(
  where: string[],
  reached: ExecuteEdges['reached'] = () => undefined,
  change: Partial<InitEdges> = {},
): Promise<InitResult> {
  const [root = '', port, sitePort = '', resolver, addressUrl = ''] = where;
  return runInit(
    {
      wishes: {
        domain: 'cover.test',
        port: Number(port),
        coverTarget: `127.0.0.1:${sitePort}`,
        server: OUR_ADDRESS,
        borrow: false,
      },
      layout: systemLayout(root),
      yes: true,
      planOnly: false,
      resolver,
      version: '0.0.0',
    },
    {
      root,
      exec,
      env: {},
      isRoot: true,
      addressUrls: [addressUrl],
      probe: { timeoutMs: 5000, random: randomBytes, now: Date.now },
      ask: null,
      step: silentStep,
      showFacts: () => undefined,
      showPlan: () => undefined,
      reached,
      stopped: () => false,
      ...change,
    },
  );
}
