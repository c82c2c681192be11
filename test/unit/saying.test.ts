import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/error.js';
import { either, say, saying } from '../../src/saying.js';

const CHINESE: Record<string, string> = { '{name} is not "{word}"': '“{word}”不是{name}', 'the name': '名称' };
const voice = {
  translate: (text: string) => CHINESE[text],
  nameOfSetting: (field: string) => `<${field}>`,
};

describe('a saying', () => {
  it('is English until a voice says it, and what it holds is said by the same voice', () => {
    const whole = saying('{name} is not "{word}"', { name: saying('the name'), word: 7 });
    expect(say(whole)).toBe('the name is not "7"');
    expect(say(whole, voice)).toBe('“7”不是名称');
    expect(say(saying('nobody translated this'), voice)).toBe('nobody translated this');
  });

  it('repeats what it was given to the letter: neither as a template nor in another language', () => {
    for (const word of ['{name}', '{setting:clientKeys}', '$& $1 $$', 'the name', '']) {
      expect(say(saying('it is {word}', { word, name: 'x' }), voice)).toBe(`it is ${word}`);
    }
  });

  it('names a setting as the door does, and without one as the source', () => {
    const change = saying('change {setting:embedOrigins}');
    expect(say(change)).toBe('change embedOrigins');
    expect(say(change, voice)).toBe('change <embedOrigins>');
    expect(say(saying('"{it}"', { it: change }), voice)).toBe('"change <embedOrigins>"');
  });

  it('counts up words, one or several', () => {
    const says = (words: string[]) => say(saying('{words}', { words: either(words) }));
    expect([says(['a']), says(['a', 'b', 'c'])]).toEqual(['a', 'a or b or c']);
  });

  it('cannot lack a value: the compiler asks for each', () => {
    // @ts-expect-error: `word` is missing.
    expect(say(saying('it is {word}'))).toBe('it is {word}');
  });
});

describe('an error', () => {
  it('has the English of its sayings for a message, unless it has one of its own', () => {
    const sayings = [saying('one'), saying('change {setting:embedOrigins}')];
    expect(new AppError('conflict', { sayings })).toMatchObject({ message: 'one; change embedOrigins', sayings });
    expect(new AppError('conflict', { sayings, message: 'mine' }).message).toBe('mine');
    const bare = new AppError('gone');
    expect([bare.message, bare.sayings]).toEqual(['That is over.', undefined]);
    expect(new AppError('gone', { sayings: [] }).message).toBe('That is over.');
  });
});
