/**
 * Letters that read as a Latin one, by the letter they pass for: Cyrillic, Greek, Armenian, Cherokee and some signs that symbols of
 * tokens use. Full-width and mathematical letters need no entry: NFKC turns them into plain ones.
 */
const LOOKALIKES: Readonly<Record<string, string>> = {
  a: 'аɑα',
  b: 'ЬВвΒƄᏴ฿₿',
  c: 'сСϲϹⅽ¢',
  d: 'ԁⅾᎠ',
  e: 'еЕΕεєҽ€ΞᎬ',
  f: 'ғϜ',
  g: 'ɡԌᏀ',
  h: 'һНнΗհᎻ',
  i: 'іІΙιıӏɪⅰ¡|',
  j: 'јЈϳᎫ',
  k: 'кКΚκᏦ',
  l: 'ⅼłŁᏞ',
  m: 'мМΜⅿᎷ',
  n: 'ոΝռ',
  o: 'оОΟοσօםѳ',
  p: 'рРΡρᏢ',
  q: 'ԛգ',
  r: 'гᎡᏒ',
  s: 'ѕЅՏ$ᏚႽ',
  t: 'тТΤτᎢ₮',
  u: 'υսՍ',
  v: 'ѵѴνⅴᏙ',
  w: 'ԝԜѡᎳω',
  x: 'хХΧχⅹ',
  y: 'уУүҮΥγ',
  z: 'ΖᏃ',
};

const latinOf = new Map(Object.entries(LOOKALIKES).flatMap(([latin, others]) => [...others].map((other) => [other, latin])));

/** The text as an eye reads it: in lower case, accents gone, foreign look-alikes replaced by the Latin letters they pass for. */
export function foldLookalikes(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '');
  return [...plain].map((character) => latinOf.get(character) ?? character.toLowerCase()).join('');
}

const FOREIGN_LETTER = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;

/** Whether Latin letters stand in one word with foreign ones that look Latin: no language writes so. */
export function mixesLookalikes(text: string): boolean {
  return text.split(/[^\p{L}\p{N}]+/u).some((word) => {
    const letters = [...word];
    return letters.some((letter) => FOREIGN_LETTER.test(letter) && latinOf.has(letter)) && /[a-z]/i.test(word);
  });
}
