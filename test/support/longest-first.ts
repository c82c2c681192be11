/** The order of the test files: those that take longest first, so that none of them is left alone at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They wait for crashes and pages, and leave the processor to what starts servers. */
const LONG = ['test/store/embedded.test.ts', 'test/browser/'];

export class LongestFirst extends BaseSequencer {
  /** Among their like: as the last run of this folder measured them, or by size. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONG.findIndex((part) => moduleId.includes(`/${part}`));
      return found === -1 ? LONG.length : found;
    };
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}
