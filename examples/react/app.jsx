// The page: who is signed in, or <QrConnect> in one of its three modes, with its news under it.
import { QrConnect } from '@qrconnect/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

const { person, signIn, texts } = JSON.parse(document.getElementById('data').textContent);

function SignIn() {
  const [mode, setMode] = useState('frame');
  const [news, setNews] = useState('');
  const { said, over } = texts;
  return (
    <>
      <h1>{texts.title}</h1>
      {mode === 'frame' && <p>{texts.lead}</p>}
      <div className="modes">
        {Object.entries(texts.modes).map(([name, words]) => (
          <button type="button" key={name} aria-pressed={name === mode} onClick={() => setMode(name)}>
            {words}
          </button>
        ))}
      </div>
      <QrConnect
        {...signIn}
        mode={mode}
        lang={texts.lang}
        onReady={() => setNews('')}
        onScanned={() => setNews(said.scanned)}
        onConfirmed={() => setNews(said.confirmed)}
        onDenied={() => setNews(over.denied)}
        onExpired={() => setNews(over.expired)}
        onError={({ detail }) => setNews(over.error.replace('{{error}}', detail.error))}
      />
      <p className="said" role="status">
        {news}
      </p>
    </>
  );
}

function Person() {
  return (
    <>
      <h1>{texts.welcome}</h1>
      <img src={person.picture} alt="" />
      <p id="nickname">{person.nickname}</p>
      <form method="post" action="/sign-out">
        <button type="submit">{texts.signOut}</button>
      </form>
    </>
  );
}

createRoot(document.getElementById('app')).render(<StrictMode>{person ? <Person /> : <SignIn />}</StrictMode>);
