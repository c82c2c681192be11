// The page: who is signed in, or <QrConnect> in one of its three modes, with its news under it. The README has it as a .vue file.
import { QrConnect } from '@qrconnect/vue';
import { createApp, defineComponent, h, ref } from 'vue';

const { person, signIn, texts } = JSON.parse(document.getElementById('data').textContent);

const SignIn = defineComponent(() => {
  const mode = ref('frame');
  const news = ref('');
  const { said, over } = texts;
  const modeButton = ([name, words]) =>
    h('button', { type: 'button', 'aria-pressed': name === mode.value, onClick: () => (mode.value = name) }, words);
  return () => [
    h('h1', texts.title),
    mode.value === 'frame' ? h('p', texts.lead) : null,
    h('div', { class: 'modes' }, Object.entries(texts.modes).map(modeButton)),
    h(QrConnect, {
      ...signIn,
      mode: mode.value,
      lang: texts.lang,
      onReady: () => (news.value = ''),
      onScanned: () => (news.value = said.scanned),
      onConfirmed: () => (news.value = said.confirmed),
      onDenied: () => (news.value = over.denied),
      onExpired: () => (news.value = over.expired),
      onError: ({ detail }) => (news.value = over.error.replace('{{error}}', detail.error)),
    }),
    h('p', { class: 'said', role: 'status' }, news.value),
  ];
});

const Person = () => [
  h('h1', texts.welcome),
  h('img', { src: person.picture, alt: '' }),
  h('p', { id: 'nickname' }, person.nickname),
  h('form', { method: 'post', action: '/sign-out' }, h('button', texts.signOut)),
];

createApp(person ? Person : SignIn).mount('#app');
