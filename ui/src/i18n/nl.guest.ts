// Dutch, of a guest at this telephone.

export const guest = {
  heading: 'Gast op dit toestel',
  free: 'Een collega kan dit toestel overnemen: zijn gesprekken komen dan hier binnen, en wie hier belt, belt onder zijn naam.',
  means: 'Gesprekken voor de gast komen hier binnen, en wie hier belt, belt onder zijn naam.',
  has: 'gebruikt dit toestel',
  number: 'Nummer van de gast',
  secret: 'Wachtwoord of pincode',
  signIn: 'Gast aanmelden',
  signOut: 'Gast afmelden',
  busy: 'Bezig…',
  wrong: 'Nummer en wachtwoord horen niet bij elkaar. Typ het wachtwoord van de gast opnieuw.',
  refused: 'De centrale laat deze gast hier niet toe. Controleer het nummer, of meld eerst de gast af die er nu is.',
};
