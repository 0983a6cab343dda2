// Dutch, of the codes: what is the matter, and what the user can do about it.

import type { CallDirection, Code } from '../bindings';
import { safetyCodes } from './nl.safety';
import { storeCodes } from './nl.contacts';
import { headsetCodes } from './nl.headset';
import { soundCodes } from './nl.sound';

/** A code in words: what is the matter, and what the user can do about it. */
export interface CodeText {
  what: string;
  todo: string;
}

export const codes: Record<Code, CodeText> = {
  not_registered: { what: 'U bent niet aangemeld', todo: 'Meld het account aan en probeer het opnieuw.' },
  auth_failed: { what: 'Gebruikersnaam of wachtwoord klopt niet', todo: 'Controleer beide in de accountgegevens.' },
  forbidden: { what: 'De centrale staat dit niet toe', todo: 'Vraag uw beheerder of dit account dit mag.' },
  dns_failure: { what: 'De naam van de server is niet te vinden', todo: 'Controleer de servernaam en de internetverbinding.' },
  connection_failed: { what: 'Er is geen verbinding met de server', todo: 'Controleer het netwerk, de server en de poort.' },
  tls_failure: { what: 'De beveiligde verbinding lukt niet', todo: 'Controleer de servernaam en de klok van deze computer.' },
  timeout: { what: 'De server antwoordt niet', todo: 'Controleer het netwerk. Er wordt vanzelf opnieuw geprobeerd.' },
  rewritten: {
    what: 'Iets tussen hier en de centrale verandert het SIP-verkeer',
    todo: 'Zet in de router SIP ALG (of SIP helper) uit, of gebruik TLS.',
  },
  server_error: { what: 'De centrale meldt een fout', todo: 'Probeer het zo nog eens; blijft het, bel uw aanbieder.' },
  not_found: { what: 'Dit nummer bestaat niet', todo: 'Controleer het nummer.' },
  bad_target: { what: 'Dit is geen nummer of adres', todo: 'Typ een nummer, een toestel of een SIP-adres.' },
  call_waiting: { what: 'Niet opgenomen: u bent in gesprek', todo: 'Druk binnen vijf seconden nog eens: dan gaat uw gesprek in de wacht.' },
  busy_here: { what: 'In gesprek', todo: 'Probeer het later nog eens.' },
  declined: { what: 'Geweigerd', todo: 'De ander neemt nu geen gesprek aan.' },
  no_answer: { what: 'Geen gehoor', todo: 'Probeer het later of bel een ander nummer.' },
  cancelled: { what: 'Beller heeft opgehangen', todo: 'Bel eventueel terug vanuit de gesprekken.' },
  answered_elsewhere: { what: 'Elders opgenomen', todo: 'Een ander toestel nam dit gesprek aan.' },
  unavailable: { what: 'Nu niet bereikbaar', todo: 'Probeer het later of bel een ander nummer.' },
  transfer_refused: {
    what: 'Doorverbinden is geweigerd',
    todo: 'De beller is er nog. Probeer het opnieuw of geef hem het nummer.',
  },
  transfer_failed: { what: 'Doorverbinden is mislukt', todo: 'Bel de beller terug als hij er niet meer is.' },
  transfer_unknown: {
    what: 'Onbekend of het doorverbinden lukte',
    todo: 'De beller staat nog bij u in de wacht. Haal hem terug.',
  },
  taken_back: { what: 'Teruggehaald', todo: 'De beller is weer bij u.' },
  no_common_encryption: {
    what: 'Geen overeenstemming over versleuteling',
    todo: 'De ene kant wil versleuteld geluid en de andere niet. Meld dit aan uw beheerder.',
  },
  no_common_codec: { what: 'Geen gezamenlijke geluidsvorm', todo: 'Meld dit aan uw beheerder.' },
  connection_lost: { what: 'De verbinding met de centrale viel weg', todo: 'Bel opnieuw zodra u weer bereikbaar bent.' },
  unknown_call: { what: 'Dit gesprek is er niet meer', todo: 'Het was al beëindigd.' },
  unknown_account: { what: 'Dit account is er niet meer', todo: 'Kies een ander account.' },
  unknown_queue: { what: 'Deze wachtrij of beller is er niet meer', todo: 'De beller is al geholpen of opgehangen.' },
  unknown_agent: { what: 'Deze medewerker is er niet', todo: 'Kies een ander uit de lijst.' },
  no_exchange: { what: 'Dit account heeft geen koppeling met de centrale', todo: 'Vul bij het account de gegevens van de centrale in.' },
  licence_missing: { what: 'Hiervoor ontbreekt een licentie', todo: 'Vraag uw beheerder of leverancier om deze functie.' },
  last_staffed: { what: 'U bent de laatste in een wachtrij', todo: 'Meld u toch af, of wacht tot een collega zich aanmeldt.' },
  setup_unavailable: { what: 'De centrale geeft de gegevens van de softphone niet vrij', todo: 'Vul ze zelf in, of bedien er een ander toestel mee.' },
  outcome_needed: { what: 'Geef eerst de uitkomst van het vorige gesprek', todo: 'De wachtrij verlangt er een; daarna krijgt u weer gesprekken.' },
  reason_needed: { what: 'Kies eerst een reden', todo: 'Zonder reden neemt de centrale dit niet aan.' },
  bad_value: { what: 'De centrale neemt deze waarde niet aan', todo: 'Controleer het nummer of de instelling.' },
  not_confirmed: { what: 'De centrale bevestigt dit niet', todo: 'Kijk wat er nu staat en probeer het opnieuw.' },
  wrong_state: { what: 'Dat kan nu niet met dit gesprek', todo: 'Wacht een tel en probeer het opnieuw.' },
  bad_request: { what: 'De opdracht was onvolledig', todo: 'Vul alle velden in en probeer het opnieuw.' },
  unknown_command: { what: 'Deze versie kent die opdracht niet', todo: 'Werk Balie bij.' },
  not_supported: { what: 'Dit kan Balie nog niet', todo: 'Het komt in een latere versie.' },
  bad_config: {
    what: 'De instellingen zijn niet te lezen',
    todo: 'Balie begint zonder en bewaart het oude bestand ernaast. Stel uw account opnieuw in of herstel het bestand.',
  },
  config_unsaved: {
    what: 'De instellingen zijn niet te bewaren',
    todo: 'Alles werkt tot u Balie afsluit. Controleer of de schijf vol of het bestand beveiligd is.',
  },
  port_taken: { what: 'Een ander programma gebruikt de poort', todo: 'Sluit dat programma en start Balie opnieuw.' },
  port_moved: {
    what: 'Een ander programma gebruikt de ingestelde poort',
    todo: 'Balie werkt zolang op een andere. Sluit dat programma en start Balie opnieuw om de ingestelde te gebruiken.',
  },
  no_audio_device: { what: 'Geen geluidsapparaat gevonden', todo: 'Sluit een headset aan; bellen kan, maar zonder geluid.' },
  microphone_silent: { what: 'Uw microfoon geeft geen geluid', todo: 'Kijk of hij op het apparaat uit staat, of kies een andere microfoon.' },
  ...headsetCodes,
  ...soundCodes,
  recording_failed: { what: 'Het gesprek wordt niet opgenomen', todo: 'Kijk of de schijf vol is, en of de map voor opnamen er is.' },
  no_sound: { what: 'Er komt of gaat geen geluid', todo: 'Laat de firewall de RTP-poorten door; vraag het uw beheerder.' },
  audio_device_failed: { what: 'Het geluidsapparaat werkt niet meer', todo: 'Kies een ander apparaat of sluit het opnieuw aan.' },
  no_keyring: {
    what: 'Geen sleutelbos op deze computer',
    todo: 'Het wachtwoord blijft tot u Balie afsluit; daarna typt u het opnieuw.',
  },
  password_needed: { what: 'Het wachtwoord is nodig', todo: 'Typ het wachtwoord van het account.' },
  ...storeCodes,
  ...safetyCodes,
  internal: { what: 'Er ging iets mis in Balie', todo: 'Probeer het opnieuw; blijft het, start Balie opnieuw.' },
};

/** How a call ends by what is done at this desk, by its direction: nobody else is said to have done it. */
export const ownEnd: Record<CallDirection, CodeText> = {
  out: { what: 'U bent gestopt met bellen', todo: '' },
  in: { what: 'U hebt geweigerd', todo: 'De beller staat in de lijst met gesprekken.' },
};
