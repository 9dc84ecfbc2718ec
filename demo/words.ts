/** Words that patients, visits and reports are put together from. */

export const GIVEN_NAMES = {
  F: [
    'María',
    'Lucía',
    'Carmen',
    'Sofía',
    'Itziar',
    'Núria',
    'Elena',
    'Ana',
    'Rocío',
    'Begoña',
    'Clara',
    'Aitana',
    'Fátima',
    'Zoë',
  ],
  M: [
    'Antonio',
    'José',
    'Íñigo',
    'Martín',
    'Andrés',
    'Hugo',
    'Jordi',
    'Álvaro',
    'Iker',
    'Óscar',
    'Raúl',
    'Ibrahim',
    'Leo',
    'Noé',
  ],
  X: ['Alex', 'Noa', 'Ariel', 'Andrea', 'Cruz', 'Sam'],
} as const;

export const FAMILY_NAMES = [
  ...[
    'García',
    'Fernández',
    'González',
    'Rodríguez',
    'López',
    'Martínez',
    'Sánchez',
    'Pérez',
    'Gómez',
    'Muñoz',
    'Núñez',
    'Ibáñez',
  ],
  ...[
    'Etxebarria',
    'Agirre',
    'Puig',
    'Ferrer',
    'Castro',
    'Vega',
    'Ortiz',
    'Ruiz',
    'Díaz',
    'Serrano',
    'Molina',
    'Bravo',
    "O'Brien",
  ],
] as const;

export const REASONS = [
  ...[
    'Changing mole',
    'Itching rash',
    'Acne follow-up',
    'Psoriasis control',
    'Wound check',
    'Annual skin check',
    'Hair loss',
  ],
  ...['Eczema flare', 'Suture removal', 'Biopsy result', 'Wart treatment', 'Burn follow-up', 'Contact allergy'],
] as const;

export const FINDINGS = [
  ...[
    'Pigmented macule, regular border, 4 mm',
    'Asymmetric plaque with two colours, 7 mm',
    'Erythematous papules on both forearms',
  ],
  ...[
    'Well demarcated scaly plaques on elbows',
    'Clean wound edges, no sign of infection',
    'Dry skin, mild lichenification',
  ],
  ...[
    'Closed comedones, few pustules',
    'Flat scar, slight hyperpigmentation',
    'Dermoscopy: regular network, no regression',
  ],
] as const;

export const PLANS = [
  ...[
    'Photograph and compare in three months',
    'Excisional biopsy, send to pathology',
    'Topical corticosteroid for two weeks',
  ],
  ...['Continue treatment, blood test in six weeks', 'Sun protection, control in one year', 'Patch test'],
  ...['Cryotherapy, second session in three weeks', 'No treatment needed'],
] as const;

export const ALLERGIES = ['none known', 'penicillin', 'latex', 'nickel', 'lidocaine', 'iodine'] as const;
