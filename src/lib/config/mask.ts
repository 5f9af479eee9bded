/** The text with the password of every proxy URL in it replaced by stars. */
export function maskSecrets(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^:@/\s]*:)[^@\s]*@/gi, '$1***@');
}
