-- What holds the clinic's tables together; created once the rows are there.

alter table practitioners add foreign key (tenant_id) references tenants;
alter table patients add foreign key (tenant_id) references tenants;
alter table encounters add foreign key (patient_id) references patients;
alter table encounters add foreign key (practitioner_id) references practitioners;
alter table clinical_media add foreign key (encounter_id) references encounters on delete cascade;
alter table reports add foreign key (encounter_id) references encounters on delete cascade;
alter table appointments add foreign key (patient_id) references patients on delete cascade;
alter table appointments add foreign key (practitioner_id) references practitioners;
alter table invoices add foreign key (tenant_id) references tenants;
alter table invoices add foreign key (patient_id) references patients;

create index patients_name on patients (family_name, given_name);
create index encounters_patient on encounters (patient_id, started_at);
create index encounters_time on encounters using brin (started_at);
create index appointments_time on appointments (practitioner_id, starts_at);

create view unpaid_invoices as
  select i.number, i.issued_on, i.total_cents, p.given_name, p.family_name
  from invoices i join patients p on p.id = i.patient_id
  where not i.paid;
