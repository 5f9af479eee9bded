import { readFile } from 'node:fs/promises';
import { packageUrl } from '../system/module-url.ts';
import { renderTemplate, type TemplateValues } from '../template/render.ts';
import type { UserLink } from './access.ts';
import { qrSvg } from './qr-file.ts';

export interface SheetFacts {
  name: string;
  link: UserLink;
  server: string;
  port: number;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A page to print or to send to somebody who is to connect: one file of HTML that loads nothing. */
export async function renderSheet({ name, link, server, port }: SheetFacts): Promise<string> {
  const values: TemplateValues = {
    name: escapeHtml(name),
    server: escapeHtml(server),
    port,
    secret: escapeHtml(link.secret),
    tg: escapeHtml(link.tg),
    https: escapeHtml(link.https),
    qr: (await qrSvg(link.tg)).trim(),
  };
  const template = await readFile(packageUrl('templates/sheet.html'), 'utf8');
  return renderTemplate(template, values);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
