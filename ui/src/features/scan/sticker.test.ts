import { describe, expect, it } from 'vitest';
import { publicId } from './sticker';

describe('a sticker', () => {
  const cases: [string, string, string][] = [
    ['our own code', 'https://charge.example/status/p/DE*ABC*E42*1', 'DE*ABC*E42*1'],
    ['an escaped one', 'http://10.0.0.1:8080/status/p/DE%2AABC%2AE42%2A1?lang=de', 'DE*ABC*E42*1'],
    ['a plate with an EVSE id', ' DE*ABC*E42*1\n', 'DE*ABC*E42*1'],
    ['a typed id', 'deabce421', 'deabce421'],
    ['a code of somebody else', 'https://example.org/pay/123', ''],
    ['a site page', 'https://charge.example/status/ham-1', ''],
    ['a broken escape', 'https://charge.example/status/p/%E0%A4%A', ''],
    ['a business card', 'BEGIN:VCARD\nN:Doe', ''],
    ['nothing', '', ''],
  ];
  for (const [name, read, want] of cases) it(name, () => expect(publicId(read)).toBe(want));
});
