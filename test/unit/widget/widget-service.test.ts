import { expect, it } from 'vitest';
import { BUILD_FILES, nameBuild } from '../../../src/widget/widget-build.js';
import { WidgetService } from '../../../src/widget/widget-service.js';

it('T35 gives no failed signature out again', async () => {
  const files = Object.fromEntries(BUILD_FILES.map((file) => [file, Buffer.from(file)]));
  let signed = 0;
  const service = new WidgetService({
    store: {} as never,
    build: nameBuild('0.0.1', files as never),
    publicUrl: 'https://login.example.test',
    sign: async () => {
      signed += 1;
      if (signed === 1) throw new Error('no key just now');
      return `signature ${signed}`;
    },
    audit: async () => {},
  });
  await expect(service.signature()).rejects.toThrow('no key just now');
  expect(await service.signature()).toBe('signature 2');
  // And a good one is.
  expect(await service.signature()).toBe('signature 2');
});
